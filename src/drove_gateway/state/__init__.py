"""The last applied state on disk, so that a start without controllers serves what was known."""
