"""The daemon: composition, startup, signals, systemd and logging."""
