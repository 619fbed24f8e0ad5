"""The daemon: its parts put together, its signals, its start and its end."""
