"""The configuration: what the keys are, and how nixy.toml and the environment become settings."""
