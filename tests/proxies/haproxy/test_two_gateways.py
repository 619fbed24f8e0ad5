"""Two gateways that drive one HAProxy from different machines, where no lock tells."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from tests.proxies.haproxy.gateway import Gateway, app, topology
from tests.traffic import Instance
from tests.waiting import until

UNDOES = "another program keeps undoing this gateway's changes to HAProxy"


async def test_both_say_in_health_and_log_that_another_program_undoes_their_changes(
    program: Path,
    short_path: Path,
    make_gateway: Callable[..., Gateway],
    spawn: Callable[..., Awaitable[list[Instance]]],
) -> None:
    shared, left, right = await spawn(3)
    first = make_gateway()
    elsewhere = short_path / "elsewhere"
    elsewhere.mkdir()
    second = Gateway(
        program,
        elsewhere,
        ports=first.ports,
        haproxysocketaddr=str(first.haproxy.socket),
        haproxy_reload_disabled=True,
    )
    await first.start(topology(app("a.example", [shared, left])))
    with structlog.testing.capture_logs() as lines:
        second.begin()
        try:
            second.desire(topology(app("a.example", [shared, right])), "start")
            for gateway in (first, second):
                await until(
                    lambda gateway=gateway: UNDOES in gateway.driver.health().config.message,  # type: ignore[misc]
                    60,
                )
                assert not gateway.driver.health().config.healthy
        finally:
            await second.end()
    reported = [line for line in lines if line["event"] == "changes_undone"]
    assert len(reported) == 2
    assert all(line["first"].startswith("server a.example/") for line in reported)


async def test_an_operators_single_edit_is_restored_without_such_a_message(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    kept, removed = await spawn(2)
    gateway = make_gateway()
    await gateway.start(topology(app("a.example", [kept, removed])))
    name = f"a.example/server_{removed.host}_{removed.port}"
    await gateway.haproxy.say(f"set server {name} state maint; del server {name}")

    async def restored() -> bool:
        return f"server_{removed.host}_{removed.port}" in await gateway.servers("a.example")

    await until(restored)
    await gateway.settled()
    assert not gateway.driver.health().contested
