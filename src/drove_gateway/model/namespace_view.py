"""A namespace as seen from outside: a frozen value, published at every change."""

import msgspec

from drove_gateway.model.vocabulary import Leader

PENDING = "pending first check"


class EndpointView(msgspec.Struct, frozen=True):
    """A configured controller. As in the original, only the leader is healthy.

    `message` is "OK", "pending first check", or why it is not healthy. `stands_by` says that it is
    well and does not lead, `denied` that it refuses the credentials.
    """

    url: str
    healthy: bool = False
    message: str = PENDING
    stands_by: bool = False
    denied: bool = False


class SyncState(msgspec.Struct, frozen=True):
    """How current our copy of the apps is; the fields are those of `NamespaceView`."""

    last_sync: float | None = None
    last_error: str = ""
    syncing: bool = True
    held: bool = False
    settling: bool = False


class NamespaceView(msgspec.Struct, frozen=True):
    """A namespace: its controllers, who leads, and how current our copy of the apps is.

    `leader` is the controller that is asked, or None. `last_sync` is when its endpoints were last
    fetched and accepted, in Unix seconds. `last_error` is empty when the last poll succeeded.
    `syncing` says that a change is known, or possible, whose endpoints were not accepted yet;
    `held` that they were fetched and the guard keeps them waiting; `settling` that the leader is
    new and may not know all its instances. `leads_since` is when the gateway found that the leader
    leads, in Unix seconds.
    """

    name: str
    endpoints: tuple[EndpointView, ...]
    leader: Leader | None = None
    last_sync: float | None = None
    last_error: str = ""
    syncing: bool = True
    held: bool = False
    settling: bool = False
    leads_since: float | None = None

    @property
    def healthy(self) -> bool:
        """Whether a controller leads."""
        return any(endpoint.healthy for endpoint in self.endpoints)

    @property
    def unasked(self) -> bool:
        """Whether no controller was asked yet."""
        return bool(self.endpoints) and all(each.message == PENDING for each in self.endpoints)

    @property
    def leaderless(self) -> bool:
        """Whether the controllers were asked, and none leads."""
        return not self.healthy and not self.unasked

    @property
    def message(self) -> str:
        """The namespace's message in `/v1/health`, in the original's words; then what keeps the
        apps from being known, if a controller leads all the same."""
        if self.healthy and self.last_error:
            return f"{self._endpoints}; keeping the last known apps: {self.last_error}"
        return self._endpoints

    @property
    def roles(self) -> str:
        """What the controllers do, in plain words: `http://controller1:10000 leads, 2 stand by`."""
        leading = [each.url for each in self.endpoints if each.healthy]
        by = sum(each.stands_by for each in self.endpoints)
        away = len(self.endpoints) - len(leading) - by
        if away == len(self.endpoints):
            return self._endpoints
        parts = [f"{', '.join(leading)} leads" if leading else "none leads"]
        if by:
            parts.append(f"{by} stands by" if by == 1 else f"{by} stand by")
        if away:
            parts.append(f"{away} does not respond" if away == 1 else f"{away} do not respond")
        return ", ".join(parts)

    @property
    def _endpoints(self) -> str:
        if self.unasked:
            return PENDING
        healthy = sum(endpoint.healthy for endpoint in self.endpoints)
        if not healthy:
            return "All endpoints are down"
        if healthy == len(self.endpoints):
            return "All endpoints are healthy"
        return f"{healthy} out of {len(self.endpoints)} endpoints are healthy"
