"""What controllers answer: garbage, bombs and half-truths reach neither proxy nor traffic."""

import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.benches.processes import Bench
from tests.faults.rogue import VHOST, Misbehave, Rogue, answer, plain

from drove_gateway.simulator import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = b'{"status": "SUCCESS", "data": []}'
WRONG = {
    "appName": "other",
    "appId": "other-1",
    "vhost": VHOST,
    "hosts": [{"host": 17, "port": "http", "portType": None}],
}

Bytes = Callable[[], bytes]

ANSWERS: list[tuple[str, Bytes, str]] = [
    ("10 MB of garbage", lambda: plain(b"\xff\x00{[" * 2_500_000), "JSON is malformed"),
    ("a gzip bomb", lambda: zipped(b" " * 200_000_000), "longer than"),
    ("a gzip that is none", lambda: plain(GOOD, "Content-Encoding: gzip"), "gzip"),
    ("deep JSON", lambda: plain(GOOD[:-2] + b"[" * 5_000_000), "the response is not"),
    ("a page of HTML", lambda: plain(b"<html><body>Sign in</body></html>"), "JSON is malformed"),
    ("wrong types", lambda: answer([WRONG]), "no app in the response can be read"),
    ("another shape", lambda: answer({"other": WRONG}), "not a list of endpoints"),
    ("no data", lambda: plain(b'{"status": "SUCCESS"}'), "not a list of endpoints"),
    (
        "duplicate keys",
        lambda: plain(b'{"status": "SUCCESS", "data": [], "data": [], "status": "FAILED"}'),
        "FAILED",
    ),
    ("more than one answer", lambda: plain(GOOD + GOOD), "trailing characters"),
]


def zipped(body: bytes) -> bytes:
    return plain(gzip.compress(body, 1), "Content-Encoding: gzip")


def memory(bench: Bench) -> int:
    """The most memory that the daemon ever had, in kB."""
    status = Path(f"/proc/{bench.daemon.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


@pytest.mark.parametrize(
    ("given", "complaint"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS]
)
async def test_a_bad_answer_changes_nothing(
    shared: Bench, rogue: Rogue, given: Bytes, complaint: str
) -> None:
    content = given()

    async def misbehave(writer: asyncio.StreamWriter) -> None:
        writer.write(content)

    async with shared.traffic("web.test", "api.test", VHOST):
        rogue.misbehave = misbehave
        await shared.says("keeping the last known apps: ", complaint)
        await shared.cluster.scale("web", 4)
        await shared.serves("web")
        await shared.cluster.scale("web", 3)
        await shared.serves("web")
        rogue.misbehave = None
        await shared.healthy()
    assert memory(shared) < 400_000


async def _half_a_body(writer: asyncio.StreamWriter) -> None:
    body = answer([])
    writer.write(body[:-5])
    await writer.drain()
    writer.transport.abort()


async def _endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"X-More: and more\r\n" * 1000)
        await writer.drain()


async def _an_endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        await writer.drain()


async def _drops(writer: asyncio.StreamWriter) -> None:
    writer.write(answer([])[:60])
    await asyncio.sleep(60)


async def _no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01\x02\x00 no HTTP at all\r\n\r\n")
    await writer.drain()
    writer.transport.abort()


@pytest.mark.parametrize(
    ("misbehave", "complaint"),
    [
        (_half_a_body, "the response was cut off"),
        (_endless_headers, "not HTTP"),
        (_an_endless_body, "longer than"),
        (_drops, "no response within 2 s"),
        (_no_http, "not HTTP"),
    ],
    ids=["half a body", "endless headers", "an endless body", "drop by drop", "no HTTP"],
)
async def test_a_broken_connection_changes_nothing(
    shared: Bench, rogue: Rogue, misbehave: Misbehave, complaint: str
) -> None:
    async with shared.traffic("web.test", "api.test", VHOST):
        rogue.misbehave = misbehave
        await shared.says("keeping the last known apps: ", complaint)
        rogue.misbehave = None
        await shared.healthy()
    assert memory(shared) < 400_000


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="empty", route="endpoints"),
        Fault(kind="partial", route="endpoints", keep=0.4),
        Fault(kind="no-hosts", route="endpoints"),
    ],
    ids=["nothing", "a part", "no hosts"],
)
async def test_a_mass_withdrawal_is_held_and_reported(shared: Bench, fault: Fault) -> None:
    """Of eight servers, more than half would go."""
    await shared.cluster.scale("web", 6)
    await shared.cluster.scale("api", 6)
    await shared.serves()
    async with shared.traffic():
        shared.cluster.fault(fault)
        health = await shared.says('"Held": [{')
        assert health["Held"][0]["Namespace"] == "main"
        assert health["Held"][0]["Servers"] >= 6
        shared.cluster.clear_faults()
        await shared.says('"Held": []')
        await shared.serves()
    await shared.healthy()


async def test_additions_go_through_while_a_withdrawal_is_held(shared: Bench) -> None:
    await shared.cluster.scale("web", 6)
    await shared.serves("web")
    kept = shared.cluster.app("web").hosts()
    async with shared.traffic("web.test"):
        shared.cluster.fault(Fault(kind="partial", route="endpoints", keep=0.0))
        await shared.says('"Held": [{')
        shared.cluster.clear_faults()
        await shared.cluster.scale("web", 8)
        await shared.serves("web")
    assert {host.instance_id for host in kept} <= {
        host.instance_id for host in shared.cluster.app("web").hosts()
    }
    await shared.healthy()


async def test_a_new_leader_that_does_not_know_its_instances_yet_is_given_time(
    shared: Bench,
) -> None:
    async with shared.traffic():
        await shared.cluster.move_leadership(recovering=1.5)
        await shared.says('"Held": [{')
        await shared.cluster.settled()
        await shared.says('"Held": []')
        await shared.serves()
    await shared.healthy()


async def test_without_any_controller_traffic_stays_and_health_says_so(shared: Bench) -> None:
    async with shared.traffic():
        shared.cluster.fault(Fault(kind="reset"))
        await shared.says("All endpoints are down")
        assert (await shared.unhealthy())["NamespaceHealth"]["main"]["Healthy"] is False
        shared.cluster.clear_faults()
        await shared.healthy()
        await shared.cluster.scale("web", 3)
        await shared.serves("web")
