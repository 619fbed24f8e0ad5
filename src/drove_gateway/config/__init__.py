"""The configuration: the keys, and how nixy.toml and the environment become settings."""

from drove_gateway.config.draft import Notice
from drove_gateway.config.load import Loaded, load, load_again
from drove_gateway.config.settings import NamespaceSettings, Settings

__all__ = ["Loaded", "NamespaceSettings", "Notice", "Settings", "load", "load_again"]
