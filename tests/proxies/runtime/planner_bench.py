"""Servers as a proxy has them and as they should be, and the plan between."""

from collections.abc import Sequence
from typing import Any

import msgspec

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.planner import changes
from drove_gateway.proxies.runtime.servers import (
    Action,
    Change,
    DesiredBackend,
    DesiredServer,
    ObservedServer,
)

PARAMETERS = (("max_fails", 0), ("fail_timeout", 1000), ("slow_start", 0))

HAPROXY = Abilities(named_by_host=True)

CHECKED = Abilities(named_by_host=True, probes=True)

PLUS = Abilities(deletes_busy=True, parameters=PARAMETERS)


def name(number: int, abilities: Abilities) -> str:
    if abilities.named_by_host:
        return f"server_10.0.0.{number}_80"
    return f"10.0.0.{number}:80"


def wanted(number: int, abilities: Abilities, *, address: bool = True) -> DesiredServer:
    """Server `number`; without an `address` the name of its host does not resolve."""
    ip = f"10.0.0.{number}" if address else ""
    known = address or abilities.named_by_host
    return DesiredServer(name(number, abilities) if known else f"host{number}:80", ip, 80)


class Seen(msgspec.Struct, frozen=True):
    """A server as a row has it. `id` stands for NGINX's; HAProxy knows servers by their names."""

    number: int
    id: int = 0
    held: str = ""
    serving: bool = True
    changed: dict[str, Any] = {}

    def observed(self, abilities: Abilities) -> ObservedServer:
        server = ObservedServer(
            name(self.number, abilities),
            f"10.0.0.{self.number}",
            80,
            serving=self.serving and not self.held,
            held=self.held,  # type: ignore[arg-type]
            handle=None if abilities.named_by_host else self.id,
            parameters=() if abilities.named_by_host else PARAMETERS,
        )
        return msgspec.structs.replace(server, **self.changed)


def up(number: int, at: int = 0, **changed: Any) -> Seen:
    return Seen(number, at, changed=changed)


def drained(number: int, at: int = 0) -> Seen:
    return Seen(number, at, "drain")


def stopped(number: int, at: int = 0) -> Seen:
    return Seen(number, at, "maintenance")


def failing(number: int) -> Seen:
    return Seen(number, serving=False)


Nowhere = tuple[int]
"""A wanted server whose host has no address."""

Changes = list[tuple[Action, int]]

NO_ADDRESS: dict[str, Any] = {"address": ""}

ELSEWHERE: dict[str, Any] = {"address": "10.9.9.9"}

FOREIGN: dict[str, Any] = {"name": "sorry", "ours": False}


def backend(servers: Sequence[DesiredServer], patience: float = 30.0) -> DesiredBackend:
    return DesiredBackend("b", "b", tuple(servers), patience)


def plan(
    want: Sequence[int | Nowhere],
    seen: Sequence[Seen],
    abilities: Abilities,
    ledger: dict[int, Stage] | None = None,
    patience: float = 30.0,
) -> list[Change]:
    desired = [
        wanted(at, abilities) if isinstance(at, int) else wanted(at[0], abilities, address=False)
        for at in want
    ]
    entries = {name(number, abilities): Entry(stage) for number, stage in (ledger or {}).items()}
    observed = [server.observed(abilities) for server in seen]
    return changes(backend(desired, patience), observed, entries, abilities)
