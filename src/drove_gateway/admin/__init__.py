"""The HTTP API: views of the frozen status, and a few actions."""

from drove_gateway.admin.routes import Actions
from drove_gateway.admin.server import serve

__all__ = ["Actions", "serve"]
