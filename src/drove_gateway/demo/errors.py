"""The error of everything that is started on this machine to be shown or tested."""

from drove_gateway.model.errors import GatewayError


class DemoError(GatewayError):
    """A part cannot be started. The message says which part, why, and what to install."""
