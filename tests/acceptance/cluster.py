"""Values for the tests of the acceptance: apps, responses, and a judge with a memory."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.acceptance.missing import Address, Server, missing_servers
from drove_gateway.acceptance.verdict import Evidence, Memory, Verdict, judge
from drove_gateway.model.vocabulary import (
    NOTHING_ANNOUNCED,
    Announced,
    AppEndpoints,
    Host,
    Leader,
    Snapshot,
)
from drove_gateway.topology.build import build
from drove_gateway.topology.namespace_build import NamespaceRules

LEADER = Leader("http://c1:4000", "c1", 4000)
LIMITS = GuardLimits(vhost=0.5, namespace=0.2, overall=0.2, exempt=2, hold=60.0)


def hosts(count: int, *, first: int = 1, port: int = 8000, kind: str = "http") -> tuple[Host, ...]:
    """`count` hosts with consecutive addresses."""
    return tuple(Host(f"10.0.0.{n}", port, kind) for n in range(first, first + count))


def app(name: str, count: int, **more: Any) -> AppEndpoints:
    """An app with the vhost `NAME.local`; `vhost` and `tags` as given, the rest is of `hosts`."""
    vhost, tags = more.pop("vhost", f"{name}.local"), more.pop("tags", {})
    port = more.pop("port", 8000 + sum(map(ord, name)))
    return AppEndpoints(name, f"{name}-1", vhost, tags, hosts(count, port=port, **more))


def response(
    *apps: AppEndpoints,
    namespace: str = "stage",
    settling: bool = False,
    announced: Announced = NOTHING_ANNOUNCED,
) -> Snapshot:
    """A response; `settling` says that the leader is new."""
    return Snapshot(namespace, LEADER, apps, settling_until=90.0 * settling, announced=announced)


def addresses(*apps: AppEndpoints) -> set[Address]:
    """Where the instances of `apps` listen."""
    return {(host.host, host.port) for each in apps for host in each.hosts}


class Judge:
    """Judges one response after the other. Every server lives unless it is in `dead`."""

    def __init__(
        self,
        *start: Snapshot,
        limits: GuardLimits = LIMITS,
        routing_tag: str = "",
        probing: bool = True,
    ) -> None:
        self.now = 0.0
        self.limits = limits
        self.probing = probing
        self.dead: set[Address] = set()
        self.probed: set[Address] | None = None
        self.responses = {each.namespace: each for each in start}
        self.rules = [NamespaceRules(name, routing_tag=routing_tag) for name in self.responses]
        self.memory = Memory(build(self.responses, self.rules))
        self.verdict = Verdict(self.memory)

    def respond(self, *responses: Snapshot, after: float = 5.0) -> Verdict:
        """Judge new responses, `after` seconds later."""
        self.now += after
        self.responses |= {each.namespace: each for each in responses}
        return self.judge(responded=frozenset(each.namespace for each in responses))

    def judge(self, **more: Any) -> Verdict:
        """Judge the latest responses, with more evidence."""
        known = {server.address for server in self._suspects()} if self.probing else set()
        if self.probed is not None:
            known &= self.probed
        evidence = Evidence(
            now=self.now,
            dead={address: address in self.dead for address in known},
            probing=self.probing,
            **more,
        )
        listed = build(self.responses, self.rules)
        self.verdict = judge(self.memory, listed, self.rules, evidence, self.limits)
        self.memory = self.verdict.memory
        return self.verdict

    def _suspects(self) -> Iterable[Server]:
        listed = build(self.responses, self.rules)
        return [each.server for each in missing_servers(self.memory.served, listed)]

    @property
    def served(self) -> dict[str, int]:
        """The number of servers in traffic, by vhost."""
        apps = self.memory.served.topology.apps
        return {vhost: len(each.hosts) for vhost, each in sorted(apps.items())}

    @property
    def held(self) -> dict[str, int]:
        """The number of held servers, by vhost."""
        return {each.vhosts[0]: each.servers for each in self.verdict.held}

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why servers of a vhost are held."""
        return {each.vhosts[0]: each.reason for each in self.verdict.held}

    @property
    def believed(self) -> set[str]:
        """The reasons of what left with the last judgement."""
        return {each.reason for each in self.verdict.believed}


def without_hosts(each: AppEndpoints) -> AppEndpoints:
    """The app as a new leader lists it at first."""
    return msgspec.structs.replace(each, hosts=())
