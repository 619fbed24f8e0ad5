"""The three ways in which a proxy is driven, and what clients and health must say of them."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from tests.faults.site import LEADER_VHOST, Site, site
from tests.traffic import get
from tests.waiting import until

from drove_gateway.simulator import Options

KINDS = ("nginx", "haproxy-by-reload", "haproxy-by-runtime-api")

__all__ = ["KINDS", "LEADER_VHOST", "Site", "holds", "played", "status_of", "vhost_is"]


@asynccontextmanager
async def played(
    kind: str,
    directory: Path,
    *,
    options: Options | None = None,
    prepare: Callable[[Site], object] = Site.configure,
) -> AsyncIterator[Site]:
    """A cluster with the apps web and api, a proxy of this kind that serves them, and the daemon.

    `prepare` writes the configuration.
    """

    def prepared(place: Site) -> None:
        if kind == "haproxy-by-reload":
            place.edge = msgspec.structs.replace(
                place.edge, settings=_without(place.edge.settings, "haproxysocketaddr")
            )
        prepare(place)

    proxy = kind.partition("-")[0]
    async with site(proxy, directory, options=options, prepare=prepared) as place:
        yield place


async def status_of(place: Site, path: str = "/v1/status") -> Mapping[str, Any]:
    """What the daemon's API says at `path`."""
    async with aiohttp.ClientSession() as session, session.get(place.api + path) as response:
        said: Mapping[str, Any] = await response.json()
        return said


async def holds(
    place: Site, path: str, true: Callable[[Mapping[str, Any]], object]
) -> Mapping[str, Any]:
    """Wait until what the API says at `path` is `true`; gives it."""
    said: Mapping[str, Any] = {}

    async def so() -> bool:
        nonlocal said
        said = await status_of(place, path)
        return bool(true(said))

    try:
        await until(so)
    except AssertionError as error:
        raise AssertionError(f"{json.dumps(said, indent=1)}\n{place.tail()}") from error
    return said


async def vhost_is(place: Site, vhost: str, status: int) -> None:
    """Wait until clients of `vhost` get this status."""

    async def so() -> bool:
        return (await get(place.edge.port, vhost))[0] == status

    await until(so)


def _without(settings: str, key: str) -> str:
    return "\n".join(line for line in settings.splitlines() if not line.startswith(key))
