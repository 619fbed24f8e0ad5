"""What a kind of proxy is.

A kind need not have a file, a reload, or a runtime API. Those that are configured by a file say so
with `file`; how servers are changed is the business of the driver alone.
"""

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

from drove_gateway.model.proxy import Proxy
from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.model.workers import Workers
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.installation.preview import Preview
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.outside import Outside
from drove_gateway.topology.names import Naming


class ProxyKind(Protocol):
    """A kind of proxy with its settings: how to render for it, load it, and change its servers."""

    @property
    def name(self) -> str:
        """The name of the proxy in messages."""
        ...

    @property
    def identity(self) -> str:
        """Which proxy this is, as in `nginx /etc/nginx/nginx.conf`: two gateways that drive the
        same proxy have the same identity."""
        ...

    @property
    def file(self) -> ConfiguredFile | None:
        """The configuration file that is rendered; None where none is."""
        ...

    @property
    def watched_files(self) -> tuple[Path, ...]:
        """The files whose changes demand a new configuration."""
        ...

    @property
    def naming(self) -> Naming | None:
        """How the proxy names what serves a vhost; None where names cannot coincide."""
        ...

    def backends(self, app: App) -> Iterable[str]:
        """Return the proxy's names for what serves `app`."""
        ...

    def structural_changes(self, old: Topology, new: Topology) -> tuple[str, ...]:
        """Return why going from `old` to `new` needs a new configuration; empty if it does not."""
        ...

    async def workers(self) -> Workers | None:
        """Return the proxy's worker processes; None where they cannot be seen from here."""
        ...

    async def served(self, outside: Outside) -> Topology:
        """Return the vhosts and servers that the proxy serves, as far as they can be read.

        They come from the configuration file on disk, and from the runtime API for vhosts that the
        file does not list with their servers.
        """
        ...

    async def driver(
        self, outside: Outside, stack: AsyncExitStack, remembered: Topology | None = None
    ) -> Proxy:
        """Return the driver of the proxy; what has to be closed is pushed to `stack`.

        `remembered` is what an earlier run applied, where that is known: vhosts that are refused
        now stay as they are in it.
        """
        ...

    async def preview(
        self,
        desired: Topology,
        applied: Topology | None,
        rendered: Rendered | None,
        outside: Outside,
    ) -> Preview:
        """Return what a gateway that starts now would do to the proxy, which is only read.

        `applied` is what an earlier run applied, where that is known: it explains a reload.
        `rendered` is the text of `file`, None for a kind without one.
        """
        ...
