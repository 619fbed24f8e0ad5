"""Which servers are held, and why, for people. Pure."""

from collections.abc import Iterable

import msgspec

from drove_gateway.model.vocabulary import Host
from drove_gateway.model.wording import count_of


class HeldServer(msgspec.Struct, frozen=True, gc=False):
    """A server on hold. `alive` says that it accepts connections as far as it was probed;
    `missing` and `remaining` are in seconds."""

    namespace: str
    vhost: str
    host: Host
    reason: str
    alive: bool
    missing: float
    remaining: float


class HeldWithdrawal(msgspec.Struct, frozen=True):
    """The withdrawal on hold of a vhost's servers.

    `reason` says why it is not believed, `servers` how many are held and `alive` how many of them
    accepted a connection. `missing` is for how many seconds they have been missing, `remaining`
    for how many more seconds they are held at most. `addresses` has all of them.
    """

    namespace: str
    reason: str
    servers: int
    vhosts: tuple[str, ...]
    remaining: float
    alive: int = 0
    missing: float = 0.0
    addresses: tuple[str, ...] = ()

    @property
    def known(self) -> str:
        """What is known of the servers."""
        return (
            f"last seen listed {self.missing:.0f} s ago, not announced, "
            f"{count_of(self.alive, 'server')} of {self.servers} accepted a connection"
        )

    @property
    def ends(self) -> str:
        """What ends the hold."""
        after = f" in {self.remaining:.0f} s" if self.remaining >= 0.5 else ""
        return (
            f"ends for each server when Drove lists or announces it or it refuses connections, "
            f"for all with the next response{after}, or by: drove-gateway accept {self.vhosts[0]}"
        )


def summaries(servers: Iterable[HeldServer]) -> tuple[HeldWithdrawal, ...]:
    """Return the held servers by namespace and vhost."""
    groups: dict[tuple[str, str], list[HeldServer]] = {}
    for server in servers:
        groups.setdefault((server.namespace, server.vhost), []).append(server)
    return tuple(_summary(name, vhost, held) for (name, vhost), held in sorted(groups.items()))


def _summary(namespace: str, vhost: str, held: list[HeldServer]) -> HeldWithdrawal:
    return HeldWithdrawal(
        namespace=namespace,
        reason="; ".join(dict.fromkeys(server.reason for server in held)),
        servers=len(held),
        vhosts=(vhost,),
        remaining=max(server.remaining for server in held),
        alive=sum(server.alive for server in held),
        missing=max(server.missing for server in held),
        addresses=tuple(f"{s.host.host}:{s.host.port}" for s in held),
    )
