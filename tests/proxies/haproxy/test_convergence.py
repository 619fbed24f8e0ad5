"""Whatever happens on the way, HAProxy ends as the topology says, and operators' states stay."""

import asyncio
from collections.abc import Sequence

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.benches.in_process import CountingMetrics
from tests.proxies.haproxy.gateway import app, topology
from tests.proxies.haproxy.imitation import Model, Server, prompted
from tests.traffic import Instance

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.runtime.drains import Drains
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.resolver import Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import RuntimeRules, desired_servers

VHOSTS = ("a.example", "b.example")
RULES = RuntimeRules(drain_timeout=30.0)


class Cut(RuntimeApi):
    """The client before a model instead of a socket; it can break off after some commands."""

    def __init__(self, model: Model) -> None:
        super().__init__(
            UnixSocket("/model"),
            timeout=1,
            clock=lambda: 0.0,
            metrics=CountingMetrics(),
            log=EventLog(structlog.get_logger()),
        )
        self.model = model
        self.cut_after: int | None = None

    async def _exchange(self, commands: Sequence[Command]) -> bytearray:
        if self.cut_after is not None:
            for command in commands[: self.cut_after]:
                self.model.answer(command.text)
            self.cut_after = None
            raise RuntimeApiError("cut off")
        replies = (prompted(self.model.answer, command.text) for command in commands)
        return bytearray("".join(("\n> ", *replies, "")), "utf-8")


class Run:
    """The servers' side of the driver, a model of HAProxy, and a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.model = Model({vhost: {} for vhost in VHOSTS})
        self.api = Cut(self.model)
        resolver = Resolver(system_lookup, timeout=1, ttl=1, clock=self.clock)
        adapter = HaproxyAdapter(self.api, Options())
        servers = desired_servers(RULES, adapter, resolver, reloads=False)
        self.engine = Engine(adapter, servers, resolver, clock=self.clock)
        self.drains = Drains(self.engine, clock=self.clock, log=EventLog(structlog.get_logger()))
        self.desired = topology()

    def clock(self) -> float:
        return self.now

    def server(self, vhost: str, number: int) -> Server | None:
        return self.model.backends[vhost].get(f"server_10.0.0.{number}_80")

    async def bring(self) -> None:
        try:
            await self.engine.bring(self.desired)
        except RuntimeApiError:
            await self.engine.bring(self.desired)

    async def drain(self) -> None:
        try:
            await self.drains.step()
        except RuntimeApiError:
            await self.drains.step()


def wanted(chosen: dict[str, set[int]]) -> Topology:
    return topology(
        *(app(vhost, [instance(n) for n in numbers]) for vhost, numbers in chosen.items())
    )


def instance(number: int) -> Instance:
    created = Instance(host=f"10.0.0.{number}")
    created.port = 80
    return created


NUMBERS = st.integers(1, 4)
PLACES = st.tuples(st.sampled_from(VHOSTS), NUMBERS)
EVENTS = st.lists(
    st.one_of(
        st.tuples(
            st.just("desire"),
            st.dictionaries(st.sampled_from(VHOSTS), st.sets(NUMBERS, min_size=1)),
        ),
        st.tuples(st.just("pass"), st.none()),
        st.tuples(st.just("time"), st.none()),
        st.tuples(st.just("cut"), st.integers(0, 6)),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("busy"), PLACES),
        st.tuples(st.just("idle"), PLACES),
        st.tuples(st.just("deleted manually"), PLACES),
        st.tuples(st.just("moved manually"), PLACES),
        st.tuples(st.just("added manually"), PLACES),
    ),
    max_size=12,
)


async def happen(run: Run, event: str, detail: object) -> None:
    """One thing on the way."""
    match event, detail:
        case "desire", dict(chosen):
            run.desired = wanted(chosen)
            await run.bring()
        case "pass", _:
            await run.drain()
        case "time", _:
            run.now += 40
        case "cut", int(commands):
            run.api.cut_after = commands
        case "restart", _:
            for servers in run.model.backends.values():
                servers.clear()
            run.engine.forget()
        case _, (str(vhost), int(number)):
            manually(run, event, vhost, number)


def manually(run: Run, event: str, vhost: str, number: int) -> None:
    """What clients and operators do to one server."""
    name = f"server_10.0.0.{number}_80"
    server = run.server(vhost, number)
    if event == "added manually":
        run.model.backends[vhost].setdefault(name, Server(f"10.0.0.{number}", 80))
    elif server is not None and event == "deleted manually":
        del run.model.backends[vhost][name]
    elif server is not None and event == "moved manually":
        server.address = "10.9.9.9"
    elif server is not None:
        server.used = 1 if event == "busy" else 0


@settings(max_examples=80)
@given(events=EVENTS, last=st.dictionaries(st.sampled_from(VHOSTS), st.sets(NUMBERS, min_size=1)))
def test_the_servers_end_as_the_topology_says(
    events: list[tuple[str, object]], last: dict[str, set[int]]
) -> None:
    async def story() -> None:
        run = Run()
        for event, detail in events:
            await happen(run, event, detail)
        run.api.cut_after = None
        # Vhosts that nobody wants any more keep what was added there manually.
        run.desired = wanted({vhost: last.get(vhost, {9}) for vhost in VHOSTS})
        await run.engine.audit(lambda: run.desired)
        await run.bring()
        run.now += 40
        for _ in range(3):
            await run.drain()
        for vhost in VHOSTS:
            assert {
                name: (server.address, server.admin)
                for name, server in run.model.backends[vhost].items()
            } == {
                f"server_10.0.0.{number}_80": (f"10.0.0.{number}", 0)
                for number in last.get(vhost, {9})
            }
        assert run.engine.pending(run.desired) == []
        assert await run.engine.audit(lambda: run.desired) == []

    asyncio.run(story())
