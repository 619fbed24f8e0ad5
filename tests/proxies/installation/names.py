"""Host names and their addresses, for tests."""

from collections.abc import Mapping, Sequence

from drove_gateway.proxies.installation.last_addresses import LastAddresses
from drove_gateway.proxies.runtime.resolver import Resolver


class NameServer:
    """Knows `addresses`, by name. `now` is the time of the resolver that asks it."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self.addresses = dict(addresses)
        self.now = 0.0

    async def lookup(self, name: str) -> Sequence[str]:
        if name not in self.addresses:
            raise OSError(f"{name} is unknown")
        return [self.addresses[name]]

    def last_addresses(self) -> LastAddresses:
        """A memory of what was looked up here; an answer is good for 10 seconds."""
        return LastAddresses(Resolver(self.lookup, timeout=2.0, ttl=10.0, clock=lambda: self.now))


def no_names() -> LastAddresses:
    """The memory of a proxy whose hosts are addresses."""
    return NameServer({}).last_addresses()
