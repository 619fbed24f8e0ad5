"""The HTTP API: views of one frozen status, and the few things that can be asked for."""

from drove_gateway.admin.api import Actions
from drove_gateway.admin.server import serve

__all__ = ["Actions", "serve"]
