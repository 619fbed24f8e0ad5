"""What the engine needs of a proxy's runtime API."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.proxies.runtime.backends import ReadsBackends
from drove_gateway.proxies.runtime.servers import (
    Batch,
    Change,
    ObservedBackends,
    Parameter,
    Process,
)


class Abilities(msgspec.Struct, frozen=True):
    """What differs between runtime APIs.

    `probes`: a new server can be kept out of traffic until its first health check.
    `named_by_host`: a server keeps its name when the address of its host changes.
    `deletes_busy`: a server that is deleted still finishes its requests.
    `parameters`: what every server must have, as observed servers show it.
    `reads_everything`: one reply shows every backend, so that what was read is kept and trusted
    until the next audit. Otherwise a backend is read before it is changed.
    `hides_empty`: a backend without servers may look as if it were missing.
    `creates_backends`: a backend comes with its first server, and is deleted when it leaves.
    `publishes_early`: what is published at runtime serves without its part of the configuration,
    which a later reload brings.
    `file_has_servers`: the configuration lists the servers, so that the file follows runtime
    changes, and a reload repairs what the runtime API cannot.
    `drains_survive_reload`: a reload keeps servers in drain.
    `reload_resets`: a reload undoes what an operator set on servers at runtime.
    `one_protocol`: the configuration, not the server, says whether a vhost's servers use TLS.
    """

    probes: bool = False
    named_by_host: bool = False
    deletes_busy: bool = False
    parameters: tuple[Parameter, ...] = ()
    reads_everything: bool = False
    hides_empty: bool = False
    creates_backends: bool = False
    publishes_early: bool = False
    file_has_servers: bool = False
    drains_survive_reload: bool = False
    one_protocol: bool = False
    reload_resets: bool = False


class Adapter(Protocol):
    """A proxy's runtime API. Every method that calls it raises RuntimeApiError when the API cannot
    be reached or breaks off; what is refused for a single backend is part of the result."""

    @property
    def name(self) -> str:
        """The proxy's name for messages."""

    @property
    def backend_noun(self) -> str:
        """What the proxy calls a group of servers: "backend", "upstream"."""

    @property
    def abilities(self) -> Abilities: ...

    @property
    def makes_backends(self) -> bool:
        """Whether the process that was identified last adds and deletes backends."""

    @property
    def outdated(self) -> str:
        """Why the process that was identified last must load its configuration anew, or empty."""

    @property
    def texts(self) -> ReadsBackends | None:
        """What reads backends from the configuration; None where that does not matter."""

    def backends(self, app: App) -> Mapping[str, tuple[Host, ...]]:
        """The hosts of each of an app's backends."""

    def balances(self, hosts: tuple[Host, ...]) -> bool:
        """Whether a backend of these hosts is changed at all; otherwise the template's alone."""

    def server_name(self, host: Host, ip: str) -> str:
        """The name of the server for `host`; its address `ip` is empty while it is unknown."""

    def uses_tls(self, host: Host) -> bool | None:
        """Whether the proxy uses TLS for `host`; None where that is not set for each server."""

    async def identify(self) -> Process | None:
        """The process that answers; None where the API does not tell."""

    def replaced(self, before: Process, now: Process) -> str:
        """What happened to the proxy between the two ("NGINX was reloaded"), or empty."""

    async def reconnect(self) -> None:
        """Use new connections: after a reload, open ones may lead to the process before."""

    async def observe(
        self, backends: Collection[str] | None, *, exact: Collection[str] = ()
    ) -> ObservedBackends:
        """Read `backends`, or all of them; those in `exact` with every parameter."""

    async def usage(self, backends: Collection[str]) -> ObservedBackends:
        """Read how many requests the servers of `backends` have."""

    async def states(self, backends: Collection[str]) -> tuple[ServerState, ...]:
        """Read what people want to know of the servers of `backends`."""

    async def unpublished(self, backends: Collection[str]) -> Collection[str]:
        """Return those of `backends` that no request reaches, where the proxy can hide them."""

    async def carry_out(self, changes: Sequence[Change]) -> Batch:
        """Carry out changes, which may concern many backends, in the order of each backend."""

    async def wait_removable(self, backend: str, name: str, seconds: float) -> None:
        """Wait until a server in maintenance may be deletable, at most `seconds`."""
