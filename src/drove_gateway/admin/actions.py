"""What the API and the page can trigger."""

from collections.abc import Awaitable, Callable

import msgspec

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.acceptance.held import HeldWithdrawal


class Actions(msgspec.Struct, frozen=True):
    """What the API can trigger.

    `reload` fetches from Drove again and applies; it returns False if so many requests are queued
    already that another makes no difference. `accept` applies the held withdrawals of the named
    namespaces and vhosts immediately and returns them.
    """

    reload: Callable[[], bool]
    accept: Callable[[AcceptRequest], Awaitable[tuple[HeldWithdrawal, ...]]]
