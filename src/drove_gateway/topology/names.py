"""How a proxy names what serves a vhost: the names that must not coincide. Pure."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from drove_gateway.model.vocabulary import App, Host


class Naming(Protocol):
    """The names that a kind of proxy gives. A value: two with equal settings are equal."""

    @property
    def wildcards(self) -> bool:
        """Whether the proxy serves vhosts such as `*.example.com` and `.example.com`."""
        ...

    @property
    def keeps_brackets(self) -> bool:
        """Whether `{{.Host}}` keeps the brackets of an IPv6 address, for `{{.Host}}:{{.Port}}`."""
        ...

    def backend(self, app: App, group: str) -> str:
        """Return the name of the backend that serves a host group of `app`."""
        ...

    def further(self, app: App) -> Iterable[str]:
        """Return the names beside its backends' that `app` needs for itself: those of the hosts
        that it serves, where wildcards of other vhosts could include them."""
        ...

    def server(self, host: Host) -> str:
        """Return the name of the server for `host` in its backend."""
        ...

    def is_reserved(self, backend: str) -> bool:
        """Whether the configuration itself has, or may have, a backend of this name."""
        ...


def by_backend(naming: Naming, app: App) -> Mapping[str, Iterable[str]]:
    """Return the host groups of `app` by the name of the backend that serves them."""
    names: dict[str, list[str]] = {}
    for group in app.groups:
        names.setdefault(naming.backend(app, group), []).append(group)
    return names
