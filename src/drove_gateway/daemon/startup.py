"""Startup: wait for each namespace's first response, up to a limit.

A namespace whose controllers do not respond is served from the stored state; where nothing is
stored, the gateway continues without the namespace.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from drove_gateway.acceptance.acceptance import Acceptance, Accepted
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import AppEndpoints, Snapshot
from drove_gateway.state.document import StoredNamespace


class StartupPatience(msgspec.Struct, frozen=True):
    """How often controllers are asked without success, and the seconds between two tries."""

    tries: int
    delay: float


class FirstResponse:
    """Whether a namespace's controllers have responded, and when a try failed."""

    def __init__(self) -> None:
        self._received = False
        self._tried = asyncio.Event()

    def receive(self) -> None:
        """They responded."""
        self._received = True
        self._tried.set()

    def fail(self) -> None:
        """A try failed: no controller leads, or the leader's response cannot be used."""
        self._tried.set()

    async def wait(self, patience: StartupPatience, ask_again: Callable[[], None]) -> bool:
        """Wait until they responded (True), or all tries of `patience` failed."""
        for tried in range(patience.tries):
            if tried:
                await asyncio.sleep(patience.delay)
                self._tried.clear()
                ask_again()
            if not self._received:
                await self._tried.wait()
            if self._received:
                return True
        return False


class Startup:
    """Decides from what each namespace starts. `publish` gets those served from the stored state,
    `absent` those of which nothing is known when their controllers do not respond.

    Responses are weighed against what is `remembered` of their namespace, if it was remembered of
    the same controllers: another cluster under an old name is not a withdrawal. Where nothing is
    remembered they are weighed against what is `adopted`: what the proxy serves.
    """

    def __init__(
        self,
        acceptance: Acceptance,
        remembered: Mapping[str, StoredNamespace],
        patience: StartupPatience,
        *,
        adopted: Mapping[str, Snapshot] = {},
        publish: Callable[[Mapping[str, float]], None],
        absent: Callable[[frozenset[str]], None] = lambda _: None,
        log: EventLog,
    ) -> None:
        self._acceptance = acceptance
        self._remembered = remembered
        self._patience = patience
        self._adopted = adopted
        self._publish = publish
        self._show_absent = absent
        self._log = log
        self._first: dict[str, FirstResponse] = {}
        self._restored: dict[str, float] = {}
        self._absent: set[str] = set()
        publish({})
        absent(frozenset())

    def begin(self, namespace: str, controllers: Iterable[str]) -> None:
        """Expect the first response of these controllers."""
        self._first[namespace] = FirstResponse()
        known = self._remembered.get(namespace)
        if known is not None and not set(known.controllers).isdisjoint(controllers):
            self._acceptance.restore(known.snapshot)
        elif namespace in self._adopted:
            self._acceptance.adopt(self._adopted[namespace])

    async def weigh(self, response: Snapshot) -> Accepted:
        """Weigh a response. Only then has the namespace responded: while a response is judged,
        and where it cannot be judged, what was served before it is still served."""
        accepted = await self._acceptance.take(response)
        self._responded(response.namespace)
        return accepted

    def _responded(self, namespace: str) -> None:
        if namespace in self._first:
            self._first[namespace].receive()
        if namespace in self._absent:
            self._absent.discard(namespace)
            self._show_absent(frozenset(self._absent))
        if self._restored.pop(namespace, None) is not None:
            self._log.write(LogEvent.CONTROLLER_RESPONDED, namespace=namespace)
            self._publish(dict(self._restored))

    def failed(self, namespace: str) -> None:
        """A try to ask the controllers failed."""
        if namespace in self._first:
            self._first[namespace].fail()

    async def run(self, namespace: str, ask_again: Callable[[], None]) -> None:
        """Wait for the first response; without one, continue from the stored state."""
        first = self._first.get(namespace)
        if first is None or await first.wait(self._patience, ask_again):
            return
        known = self._remembered.get(namespace)
        if known is None:
            await self._continue_without(namespace)
        else:
            await self._serve_stored(namespace, known)

    async def _continue_without(self, namespace: str) -> None:
        self._log.write(
            LogEvent.NOTHING_STORED,
            namespace=namespace,
            servers=sum(len(app.hosts) for app in self._apps_adopted(namespace)),
            tries=self._patience.tries,
        )
        self._absent.add(namespace)
        self._show_absent(frozenset(self._absent))
        await self._acceptance.stop_waiting(namespace, f"namespace {namespace} does not respond")

    def _apps_adopted(self, namespace: str) -> tuple[AppEndpoints, ...]:
        return self._adopted[namespace].apps if namespace in self._adopted else ()

    async def _serve_stored(self, namespace: str, known: StoredNamespace) -> None:
        since = datetime.fromtimestamp(known.changed, UTC).isoformat(timespec="seconds")
        self._log.write(
            LogEvent.STORED_STATE_SERVED,
            namespace=namespace,
            state_of=since,
            tries=self._patience.tries,
        )
        self._restored[namespace] = known.changed
        self._publish(dict(self._restored))
        self._acceptance.restore(known.snapshot)
        await self._acceptance.stop_waiting(
            namespace, f"namespace {namespace}: the stored state of {since}"
        )
