"""How backends and servers are called. A template must use the same names.

The rules are the original's: a backend is its vhost, or vhost, separator and group; a server is
prefix, delimiter, host, delimiter, port, with the colons of an IPv6 address replaced. HAProxy
allows no asterisk in names: the backend of ``*.example.com`` is called ``..example.com``, as no
vhost is.
"""

from collections.abc import Mapping

import msgspec

from drove_gateway.model.vocabulary import App, Host

# The port types that HAProxy balances here; a group with another one is left to the template.
_BALANCED = frozenset({"http", "https"})


# No vhost has a colon, so only a group can bring such a name about.
_OURS = "drove:"


class Naming(msgspec.Struct, frozen=True):
    """The settings that names are made of.

    `wildcards` says that the template serves vhosts such as ``*.example.com``.
    """

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
            return {backend_part(app.vhost): app.hosts}
        grouped = {self.backend(app, name): group.hosts for name, group in app.groups.items()}
        if self.routing_tag_suffix is None and self.existing.isdisjoint(grouped):
            return {backend_part(app.vhost): app.hosts}
        return grouped

    def backend(self, app: App, group: str) -> str:
        """The name of the backend of a host group, in the form that has one for each group unless
        that is known not to be used."""
        if self.routing_tag_suffix is False or not app.routing_tag_key:
            return backend_part(app.vhost)
        part = backend_part(group) if group == app.vhost else group
        return f"{backend_part(app.vhost)}{self.backend_separator}{part}"

    def further(self, app: App) -> tuple[str, ...]:
        """The hosts that a vhost serves, where its backends are not called like them."""
        if not self.wildcards:
            return ()
        if app.vhost.startswith("."):
            host = app.vhost[1:]
            return host, _host(host), _host(f"*.{host}")
        if app.vhost.startswith("*") or self.backend(app, "") != app.vhost:
            return (_host(app.vhost),)
        return ()

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


def _host(name: str) -> str:
    """A name that no backend can have."""
    return f"host {name}"


def backend_part(vhost: str) -> str:
    """Return a vhost as it is in the name of its backend."""
    return vhost.replace("*", ".", 1)


def vhost_of(part: str) -> str:
    """Return the vhost whose backend's name has this part."""
    return f"*{part[1:]}" if part.startswith("..") else part


def balanced(hosts: tuple[Host, ...]) -> bool:
    """Whether the runtime API manages a backend of these hosts: http and https only."""
    return all(host.port_type in _BALANCED for host in hosts)
