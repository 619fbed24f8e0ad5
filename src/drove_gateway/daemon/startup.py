"""The start: each namespace's first answer is waited for, but not for ever.

A namespace whose controllers were asked in vain is served from the stored state; where nothing is
stored, the gateway goes on without it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.state.document import StoredNamespace
from drove_gateway.topology.acceptance import Acceptance


class StartupPatience(msgspec.Struct, frozen=True):
    """How often controllers are asked in vain, and the seconds between two such tries."""

    tries: int
    delay: float


class FirstResponse:
    """Whether a namespace's controllers answered yet, and when a try to ask them was in vain."""

    def __init__(self) -> None:
        self._given = False
        self._tried = asyncio.Event()

    def give(self) -> None:
        """They answered."""
        self._given = True
        self._tried.set()

    def fail(self) -> None:
        """A try was in vain: none leads, or the leader's answer cannot be used."""
        self._tried.set()

    async def wait(self, patience: StartupPatience, ask_again: Callable[[], None]) -> bool:
        """Wait until they answered (True), or `patience` is at its end."""
        for tried in range(patience.tries):
            if tried:
                await asyncio.sleep(patience.delay)
                self._tried.clear()
                ask_again()
            if not self._given:
                await self._tried.wait()
            if self._given:
                return True
        return False


class Startup:
    """Decides from what each namespace starts. `publish` gets those served from the stored state.

    Answers are weighed against what is `remembered` of their namespace, if it was remembered of
    the same controllers: another cluster under an old name is no withdrawal.
    """

    def __init__(
        self,
        intake: Acceptance,
        remembered: Mapping[str, StoredNamespace],
        patience: StartupPatience,
        *,
        publish: Callable[[Mapping[str, float]], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._intake = intake
        self._remembered = remembered
        self._patience = patience
        self._publish = publish
        self._log = log
        self._first: dict[str, FirstResponse] = {}
        self._restored: dict[str, float] = {}
        publish({})

    def begin(self, namespace: str, controllers: Iterable[str]) -> None:
        """Await the first answer of these controllers."""
        self._first[namespace] = FirstResponse()
        known = self._remembered.get(namespace)
        if known is not None and not set(known.controllers).isdisjoint(controllers):
            self._intake.restore(known.snapshot)

    def answered(self, namespace: str) -> None:
        """An answer is about to be taken."""
        if namespace in self._first:
            self._first[namespace].give()
        if self._restored.pop(namespace, None) is not None:
            self._log.info("a controller answers: the stored state is over", namespace=namespace)
            self._publish(dict(self._restored))

    def failed(self, namespace: str) -> None:
        """A try to ask the controllers was in vain."""
        if namespace in self._first:
            self._first[namespace].fail()

    async def run(self, namespace: str, ask_again: Callable[[], None]) -> None:
        """Wait for the first answer, and go on from the stored state when there is none."""
        first = self._first.get(namespace)
        if first is None or await first.wait(self._patience, ask_again):
            return
        known = self._remembered.get(namespace)
        if known is None:
            self._log.warning(
                "no controller answers and nothing is stored: going on without the namespace",
                namespace=namespace,
                tries=self._patience.tries,
            )
            self._intake.go_on(namespace, f"namespace {namespace} does not answer")
            return
        since = datetime.fromtimestamp(known.changed, UTC).isoformat(timespec="seconds")
        self._log.warning(
            "no controller answers: serving from the stored state",
            namespace=namespace,
            state_of=since,
            tries=self._patience.tries,
        )
        self._restored[namespace] = known.changed
        self._publish(dict(self._restored))
        self._intake.restore(known.snapshot)
        self._intake.go_on(namespace, f"namespace {namespace}: the stored state of {since}")
