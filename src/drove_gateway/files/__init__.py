"""Files on disk, replaced at once."""
