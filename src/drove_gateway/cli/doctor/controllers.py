"""Ask the controllers what an examination needs; every wait and every number has a limit."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from drove_gateway.cli.doctor.app_checks import SpecifiedApp
from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.daemon.controllers import controllers
from drove_gateway.drove.client import Controller
from drove_gateway.drove.leader import Standing
from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.model.errors import DroveError, NoLeader
from drove_gateway.model.vocabulary import AppEndpoints
from drove_gateway.model.wording import by_message, count_of, first_and_more

_MOST_SPECIFICATIONS = 5_000
_MOST_AT_ONCE = 4
_MESSAGES_SHOWN = 3


class NamespaceReport(msgspec.Struct, frozen=True):
    """What the controllers of a namespace said.

    `clocks` are seconds that each controller's clock is ahead of this machine's. `fetch_seconds` is
    how long the endpoints took; None if they could not be fetched. `not_examined` says what is
    missing, and why.
    """

    name: str
    leader: str = ""
    apps: tuple[AppEndpoints, ...] = ()
    specified: tuple[SpecifiedApp, ...] = ()
    clocks: Mapping[str, float] = {}
    fetch_seconds: float | None = None
    not_examined: tuple[str, ...] = ()


async def ask_controllers(settings: Settings, patience: float) -> Sequence[NamespaceReport]:
    """Ask the controllers of all namespaces at once.

    All specifications of a namespace may take `patience` seconds. Raises ConfigError for a bad CA
    file.
    """
    return await asyncio.gather(*(_ask(settings, each, patience) for each in settings.namespaces))


async def _ask(
    settings: Settings, namespace: NamespaceSettings, patience: float
) -> NamespaceReport:
    report = NamespaceReport(namespace.name)
    async with controllers(settings, namespace) as configured:
        report = msgspec.structs.replace(report, clocks=await _clocks(configured))
        try:
            leader = await _leader(namespace.name, configured)
            begin = time.monotonic()
            listing = await leader.endpoints(EndpointsDecoder(namespace.name))
        except DroveError as error:
            return msgspec.structs.replace(report, not_examined=(f"apps: {error}",))
        took = time.monotonic() - begin
        specified, problems = await _specifications(namespace.name, leader, listing.apps, patience)
        return msgspec.structs.replace(
            report,
            leader=leader.url,
            apps=listing.apps,
            specified=specified,
            fetch_seconds=took,
            not_examined=problems,
        )


async def _leader(name: str, configured: Sequence[Controller]) -> Controller:
    pings = await asyncio.gather(*(controller.ping() for controller in configured))
    for controller, ping in zip(configured, pings, strict=True):
        if ping.standing is Standing.LEADS:
            return controller
    messages = by_message(
        (controller.url, ping.message) for controller, ping in zip(configured, pings, strict=True)
    )
    raise NoLeader(f"namespace {name}: no controller leads: {messages or 'none is configured'}")


async def _clocks(configured: Sequence[Controller]) -> Mapping[str, float]:
    """How far each clock is ahead. What does not respond is reported with the endpoints."""
    clocks = await asyncio.gather(*(_clock(controller) for controller in configured))
    return {
        controller.url: ahead
        for controller, ahead in zip(configured, clocks, strict=True)
        if ahead is not None
    }


async def _clock(controller: Controller) -> float | None:
    before = datetime.now(UTC)
    try:
        theirs = await controller.clock()
    except DroveError:
        return None
    if theirs is None:
        return None
    middle = before + (datetime.now(UTC) - before) / 2
    # The header has whole seconds, so the clock is half a second later on average.
    return (theirs - middle).total_seconds() + 0.5


async def _specifications(
    name: str, leader: Controller, apps: Sequence[AppEndpoints], patience: float
) -> tuple[tuple[SpecifiedApp, ...], tuple[str, ...]]:
    """Fetch the specification of each app, and say which could not be fetched."""
    asked = apps[:_MOST_SPECIFICATIONS]
    left = iter(asked)
    found: dict[str, SpecifiedApp] = {}
    failures: list[str] = []
    workers = (_fetch(name, leader, left, found, failures) for _ in range(_MOST_AT_ONCE))
    problems: list[str] = []
    try:
        async with asyncio.timeout(patience):
            await asyncio.gather(*workers)
    except TimeoutError:
        failures.append(f"not all responses within {patience:g} s")
    missing = len(apps) - len(found)
    if missing:
        causes = [*dict.fromkeys(failures)] or [f"more than {_MOST_SPECIFICATIONS:,}"]
        why = first_and_more(causes, _MESSAGES_SHOWN)
        problems.append(f"specifications of {count_of(missing, 'app')} of namespace {name}: {why}")
    return tuple(found.values()), tuple(problems)


async def _fetch(
    name: str,
    leader: Controller,
    left: Iterable[AppEndpoints],
    found: dict[str, SpecifiedApp],
    failures: list[str],
) -> None:
    for app in left:
        try:
            specification = await leader.specification(app.app_id)
        except DroveError as error:
            failures.append(str(error))
            continue
        found[app.app_id] = SpecifiedApp(name, app, specification)
