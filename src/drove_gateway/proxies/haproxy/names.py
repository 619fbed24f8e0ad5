"""How backends and servers are called. A template must use the same names.

The rules are the original's: a backend is its vhost, or vhost, separator and group; a server is
prefix, delimiter, host, delimiter, port, with the colons of an IPv6 address replaced.
"""

from collections.abc import Mapping

import msgspec

from drove_gateway.model.vocabulary import App, Host

# The port types that HAProxy balances here; a group with another one is left to the template.
_BALANCED = frozenset({"http", "https"})


# No vhost has a colon, so only a group can bring such a name about.
_OURS = "drove:"


class Naming(msgspec.Struct, frozen=True):
    """The settings that names are made of."""

    server_prefix: str = "server"
    host_port_delimiter: str = "_"
    backend_separator: str = "_"
    routing_tag_suffix: bool | None = True
    existing: frozenset[str] = frozenset()
    wildcards: bool = False
    # The last colon of HOST:PORT begins the port, and no server's name has brackets.
    keeps_brackets: bool = False

    def backends(self, app: App) -> Mapping[str, tuple[Host, ...]]:
        """The hosts of each of `app`'s backends, by the backend's name.

        Where `routing_tag_suffix` is None, an app has a backend for each group if HAProxy has one
        of them among its `existing` backends.
        """
        if self.routing_tag_suffix is False or not app.routing_tag_key:
            return {app.vhost: app.hosts}
        grouped = {self.backend(app, name): group.hosts for name, group in app.groups.items()}
        if self.routing_tag_suffix is None and self.existing.isdisjoint(grouped):
            return {app.vhost: app.hosts}
        return grouped

    def backend(self, app: App, group: str) -> str:
        """The name of the backend of a host group, in the form that has one for each group unless
        that is known not to be used."""
        if self.routing_tag_suffix is False or not app.routing_tag_key:
            return app.vhost
        return f"{app.vhost}{self.backend_separator}{group}"

    def is_reserved(self, backend: str) -> bool:
        """Whether the shipped templates may have a backend of this name for themselves."""
        return backend.startswith(_OURS)

    def server(self, host: Host) -> str:
        """The name of the server for `host`."""
        delimiter = self.host_port_delimiter
        address = host.host.replace(":", delimiter)
        return f"{self.server_prefix}{delimiter}{address}{delimiter}{host.port}"

    def is_ours(self, server: str) -> bool:
        """Whether a server's name is one that this gateway gives."""
        return server.startswith(self.server_prefix + self.host_port_delimiter)


def balanced(hosts: tuple[Host, ...]) -> bool:
    """Whether the runtime API manages a backend of these hosts: http and https only."""
    return all(host.port_type in _BALANCED for host in hosts)
