"""The HTTP API: views of the frozen status, and a few actions."""

from drove_gateway.admin.actions import Actions
from drove_gateway.admin.server import serve
from drove_gateway.admin.sources import Sources

__all__ = ["Actions", "Sources", "serve"]
