"""The entry point of a container: the environment to a configuration, then proxy and gateway.

`setup`, `first` and `restarts` decide, and are pure; `processes` and `supervisor` act.
"""
