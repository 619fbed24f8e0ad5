"""Names are resolved once, kept fresh in the background, and never lost to a failing resolver."""

import asyncio
from collections.abc import Sequence

import pytest

from drove_gateway.proxies.runtime.resolver import Resolver, is_address, system_lookup


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Zone:
    """A name server: answers from a table, fails or hangs as told, and counts questions."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = {name.replace("_", "."): answer for name, answer in answers.items()}
        self.broken = False
        self.hanging: set[str] = set()
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        if name in self.hanging:
            await asyncio.Event().wait()
        if self.broken or name not in self.answers:
            raise OSError(-2, "Name or service not known")
        return self.answers[name]


def resolver(zone: Zone, clock: Clock | None = None, timeout: float = 2.0) -> Resolver:
    return Resolver(zone, timeout=timeout, ttl=30.0, clock=clock or Clock())


async def test_addresses_pass_through_without_a_question() -> None:
    zone = Zone()
    resolved = await resolver(zone).resolve(["10.0.0.1", "2001:db8::1"])
    assert resolved.addresses == {"10.0.0.1": "10.0.0.1", "2001:db8::1": "2001:db8::1"}
    assert zone.asked == []


async def test_a_name_is_requested_once_within_its_ttl() -> None:
    zone = Zone(a_example=["10.0.0.1"])
    cached = resolver(zone)
    await cached.resolve(["a.example", "a.example"])
    assert (await cached.resolve(["a.example"])).addresses == {"a.example": "10.0.0.1"}
    assert zone.asked == ["a.example"]


async def test_a_name_that_never_resolved_fails_alone_and_is_named() -> None:
    cached = resolver(Zone(a_example=["10.0.0.1"]))
    resolved = await cached.resolve(["a.example", "b.example"])
    assert resolved.addresses == {"a.example": "10.0.0.1"}
    assert resolved.failed == {"b.example": "Name or service not known"}
    assert not cached.health().healthy
    assert "b.example (Name or service not known)" in cached.health().message


async def test_the_last_address_serves_while_the_resolver_fails_and_health_says_so() -> None:
    zone, clock = Zone(a_example=["10.0.0.1"]), Clock()
    cached = resolver(zone, clock)
    await cached.resolve(["a.example"])
    zone.broken, clock.now = True, 150.0
    assert await cached.refresh() == frozenset()
    resolved = await cached.resolve(["a.example"])
    assert resolved.addresses == {"a.example": "10.0.0.1"}
    assert resolved.stale == {"a.example": "Name or service not known, 10.0.0.1 is 50 s old"}
    assert not cached.health().healthy
    zone.broken, clock.now = False, 152.0
    await cached.refresh()
    assert cached.known(["a.example"]).stale == {}
    assert cached.health().healthy


async def test_a_changed_address_is_followed_after_the_ttl() -> None:
    zone, clock = Zone(a_example=["10.0.0.1"]), Clock()
    cached = resolver(zone, clock)
    await cached.resolve(["a.example"])
    zone.answers["a.example"] = ["10.0.0.2"]
    assert await cached.refresh() == frozenset()
    clock.now += 30
    assert await cached.refresh() == {"a.example"}
    assert cached.known(["a.example"]).addresses == {"a.example": "10.0.0.2"}


async def test_the_present_address_stays_while_the_answer_still_has_it() -> None:
    zone, clock = Zone(a_example=["10.0.0.1", "10.0.0.2"]), Clock()
    cached = resolver(zone, clock)
    await cached.resolve(["a.example"])
    zone.answers["a.example"] = ["10.0.0.2", "10.0.0.1"]
    clock.now += 30
    assert await cached.refresh() == frozenset()
    assert cached.known(["a.example"]).addresses == {"a.example": "10.0.0.1"}


async def test_a_hanging_name_delays_neither_the_others_nor_the_next_call() -> None:
    zone = Zone(a_example=["10.0.0.1"])
    zone.hanging = {"slow.example"}
    cached = resolver(zone, timeout=0.05)
    resolved = await cached.resolve(["slow.example", "a.example"])
    assert resolved.addresses == {"a.example": "10.0.0.1"}
    assert resolved.failed == {"slow.example": "no answer within 0.05 s"}
    zone.asked.clear()
    await cached.resolve(["slow.example", "a.example"])
    assert zone.asked == []


async def test_known_answers_at_once_and_leaves_new_names_to_the_background() -> None:
    zone = Zone(a_example=["10.0.0.1"])
    cached = resolver(zone)
    before = cached.known(["a.example"])
    assert (before.addresses, before.failed) == ({}, {})
    changed: asyncio.Queue[str] = asyncio.Queue()
    running = asyncio.create_task(cached.run(changed.put_nowait))
    async with asyncio.timeout(5):
        assert await changed.get() == "a.example"
        cached.known(["b.example"])
        zone.answers["b.example"] = ["10.0.0.9"]
        assert await changed.get() == "b.example"
    running.cancel()
    assert cached.known(["b.example"]).addresses == {"b.example": "10.0.0.9"}
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_names_out_of_use_are_forgotten() -> None:
    cached = resolver(Zone())
    await cached.resolve(["gone.example"])
    cached.retain(["a.example"])
    assert cached.health().healthy


async def test_an_empty_answer_is_a_failure() -> None:
    resolved = await resolver(Zone(a_example=[])).resolve(["a.example"])
    assert resolved.failed == {"a.example": "the answer has no address"}


async def test_the_machines_resolver_knows_localhost() -> None:
    assert set(await system_lookup("localhost")) & {"127.0.0.1", "::1"}


async def test_the_machines_resolver_refuses_what_cannot_be_a_name() -> None:
    with pytest.raises((OSError, UnicodeError)):
        await system_lookup("a" * 300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10.0.0.1", True), ("::1", True), ("999.1.1.1", False), ("10.0.0.1:80", False), ("", False)],
)
def test_only_real_addresses_count_as_such(text: str, expected: bool) -> None:
    assert is_address(text) is expected
