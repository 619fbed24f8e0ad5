"""Replies of the Lua balancer to many changes that do not match the request."""

from collections.abc import Mapping
from typing import cast

import pytest
import structlog

from drove_gateway.log.event_log import EventLog
from drove_gateway.proxies.nginx.lua.balancer import LuaBalancer
from drove_gateway.proxies.nginx.lua.configuration import VERSION
from drove_gateway.proxies.nginx.lua.known_addresses import KnownAddresses
from drove_gateway.proxies.nginx.lua.template_functions import LuaUse
from drove_gateway.proxies.nginx.lua.wire import BulkReply, BulkResult, Handshake
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.runtime.servers import Action, Change, Process

ADD = Change(Action.ADD, "shop.test", "10.0.0.1:80")
Replies = Mapping[str, BulkResult | None]


class Replying:
    """Replies to every change with the same results."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies

    async def call(self, operation: str, *_: object) -> Handshake | BulkReply:
        if operation == "handshake":
            return Handshake(version=VERSION)
        return BulkReply(dict(self._replies))


async def carried_out(replies: Replies) -> tuple[int, list[str]]:
    """Return how many changes have a result, and which upstreams are left."""
    balancer = LuaBalancer(
        cast("Client", Replying(replies)),
        {"max_fails": 0},
        use=LuaUse(balancer=True),
        addresses=KnownAddresses(),
        log=EventLog(structlog.get_logger()),
    )
    await balancer.meet(Process(1))
    outcome = await balancer.carry_out({"shop.test": [ADD]})
    assert "other.test" not in {*outcome.servers, *outcome.known}
    return len(outcome.results), list(outcome.left)


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ({"shop.test": BulkResult()}, (1, [])),
        ({"shop.test": BulkResult(), "other.test": BulkResult()}, (1, [])),
        ({"other.test": None}, (0, ["shop.test"])),
        ({}, (0, ["shop.test"])),
    ],
    ids=["as requested", "one too many", "another", "none"],
)
async def test_results_of_other_upstreams_are_ignored_and_missing_ones_are_tried_singly(
    replies: Replies, expected: tuple[int, list[str]]
) -> None:
    assert await carried_out(replies) == expected
