"""Which names of NGINX's configuration must not coincide."""

import msgspec

from drove_gateway.model.spelling import without_brackets
from drove_gateway.model.vocabulary import App, Host


class Naming(msgspec.Struct, frozen=True):
    """NGINX's names for a vhost: those in `server_name`.

    `.example.com` there is `example.com` and `*.example.com`. Beside a vhost of one of these names,
    NGINX would give both vhosts' requests to the one that stands first in the file.
    """

    wildcards: bool = True
    keeps_brackets: bool = True

    def backend(self, app: App, group: str) -> str:  # noqa: ARG002
        """The exact name that the vhost has, whatever the group."""
        return app.vhost.removeprefix(".")

    def further(self, app: App) -> tuple[str, ...]:
        """The wildcard that `.example.com` includes."""
        return (f"*{app.vhost}",) if app.vhost.startswith(".") else ()

    def server(self, host: Host) -> str:
        """Servers in an upstream have no names; host and port tell them apart."""
        return f"{without_brackets(host.host)} {host.port}"

    def is_reserved(self, backend: str) -> bool:  # noqa: ARG002
        """No name is reserved."""
        return False
