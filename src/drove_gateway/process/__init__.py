"""A process of this machine: the signals it receives, and the programs it can start."""
