"""What the gateway remembers of an upstream that it keeps true to the cluster."""

import asyncio

from drove_gateway.model.vocabulary import App
from drove_gateway.proxies.nginx.plus import desired


class KeptUpstream:
    """One upstream. Whoever changes it holds `lock`.

    `app` is None once the vhost has left the topology. `due` says why the upstream has to be
    compared with NGINX, empty while it is known to be right; `problem` is for health. `draining`
    has the addresses that the gateway itself put in drain, with the time of their deletion, and
    `drain_seconds` how long servers that leave may take. `brought` counts how often the upstream
    was brought up to date, so that an audit knows when it read too early. `thorough` says that its
    servers' parameters have to be read too, which an answer about all upstreams does not tell.
    """

    def __init__(self, name: str, drain_seconds: float) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        self.app: App | None = None
        self.names: frozenset[str] = frozenset()
        self.due = ""
        self.problem = ""
        self.draining: dict[str, float] = {}
        self.drain_seconds = drain_seconds
        self.brought = 0
        self.thorough = False

    def take(self, app: App, drain_seconds: float) -> None:
        """The app that the upstream serves from now on."""
        if app is not self.app:
            self.app = app
            self.names = desired.names(app)
            self.drain_seconds = drain_seconds

    def leave(self) -> None:
        """The vhost left the topology: the upstream is to lose its servers."""
        self.app = None
        self.names = frozenset()

    @property
    def finished(self) -> bool:
        """Whether the vhost left and its upstream has been emptied."""
        return self.app is None and not self.due and not self.draining
