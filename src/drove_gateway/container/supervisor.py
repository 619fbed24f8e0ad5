"""Supervises a proxy and the gateway, until a signal, or a process that keeps failing, ends both.

Traffic needs only the proxy: when the gateway ends it is restarted, and the proxy is not touched.
While the proxy is down, the gateway begins nothing on it.
"""

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Mapping, Sequence
from signal import SIGQUIT, Signals

from drove_gateway.container.files import write
from drove_gateway.container.processes import Child, ProcessError, Processes
from drove_gateway.container.relay import Relay
from drove_gateway.container.restarts import QUICK_SECONDS, RestartHistory
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.process.signals import ENDING, SignalQueue
from drove_gateway.proxies.local import SupervisedProxy

_COMES_UP_SECONDS = 10.0
_FAST_END_SECONDS = 1.0
_GATEWAY = "the gateway"

_PASSED_ON = (Signals.SIGHUP, Signals.SIGUSR2)


def open_inbox(loop: asyncio.AbstractEventLoop) -> SignalQueue:
    """Take signals from now on. SIGQUIT, which some base images stop with, ends as SIGTERM does."""
    inbox = SignalQueue()
    inbox.open(loop)
    loop.add_signal_handler(SIGQUIT, inbox.put, Signals.SIGTERM)
    return inbox


class Supervisor:
    """The proxy and the gateway as children of this process."""

    def __init__(
        self,
        proxy: SupervisedProxy,
        gateway: Sequence[str],
        *,
        environ: Mapping[str, str],
        proxy_environ: Mapping[str, str],
        stop_timeout: float,
        inbox: SignalQueue,
        log: EventLog,
    ) -> None:
        self._proxy = proxy
        self._gateway = gateway
        self._environ = environ
        self._proxy_environ = proxy_environ
        self._stop_timeout = stop_timeout
        self._inbox = inbox
        self._log = log
        self._processes = Processes()
        self._running: dict[str, Child] = {}
        self._relay = Relay(proxy.noise) if proxy.noise is not None else None

    async def run(self) -> None:
        """Run until a signal ends it. Raises ProcessError when restarting is hopeless.

        Either way both processes have ended then, the proxy after its running requests.
        """
        self._processes.open(asyncio.get_running_loop())
        tasks = [
            asyncio.create_task(work)
            for work in (self._keep_proxy(), self._keep_gateway(), self._obey())
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._stop()
        for task in done:
            task.result()

    async def _keep_proxy(self) -> None:
        name, ends, first = self._proxy.name, RestartHistory(), True
        while True:
            if first or ends.quick:
                # What it has now may be why it ended; the gateway brings what its check takes.
                self._write_first_configuration()
            outputs = self._relay.inputs if self._relay is not None else ()
            child = self._start(name, self._proxy.command, self._proxy_environ, outputs)
            began = time.monotonic()
            await _within(_COMES_UP_SECONDS, child.has_children())
            if not first and child.running:
                self._signal(_GATEWAY, Signals.SIGUSR2)
            code = await child.ended()
            self._signal(_GATEWAY, Signals.SIGUSR1)
            # Its workers outlive it and keep the ports; they close them and finish.
            child.send_group(self._proxy.drain)
            ends, first = ends.after(time.monotonic() - began), False
            if ends.hopeless:
                raise ProcessError(
                    f"{_unable(name, ends, code)}; see its own messages for the reason"
                )
            await self._pause(name, ends, code)

    async def _keep_gateway(self) -> None:
        ends = RestartHistory()
        while True:
            began = time.monotonic()
            code = await self._start(_GATEWAY, self._gateway, self._environ).ended()
            ends = ends.after(time.monotonic() - began)
            if ends.hopeless and not ends.proven:
                raise ProcessError(
                    f"{_unable(_GATEWAY, ends, code)}; see its own messages for the reason"
                )
            await self._pause(_GATEWAY, ends, code)

    async def _pause(self, name: str, ends: RestartHistory, code: int) -> None:
        self._log.write(
            LogEvent.PROCESS_RESTARTS, process=name, how=_how(code), in_sec=round(ends.delay, 1)
        )
        await asyncio.sleep(ends.delay)

    async def _obey(self) -> None:
        """Pass signals on until one says to end."""
        while (number := await self._inbox.next()) not in ENDING:
            if number in _PASSED_ON:
                self._signal(_GATEWAY, number)
            elif self._proxy.reopen is not None:
                self._signal(self._proxy.name, self._proxy.reopen)
        self._log.write(
            LogEvent.PROXY_FINISHES,
            signal=number.name,
            process=self._proxy.name,
            limit_sec=self._stop_timeout,
        )

    async def _stop(self) -> None:
        """End the gateway, which must not reload a proxy that is ending; then the proxy.

        One more signal that says to end makes it fast.
        """
        deadline = time.monotonic() + self._stop_timeout
        hurry = asyncio.create_task(self._hurried())
        await self._end(_GATEWAY, (Signals.SIGTERM, self._stop_timeout / 2), hurry)
        left = max(deadline - time.monotonic(), 0.0)
        await self._end(
            self._proxy.name,
            (self._proxy.drain, left),
            hurry,
            fast=Signals.SIGTERM,
        )
        hurry.cancel()
        if self._relay is not None:
            await asyncio.to_thread(self._relay.close)
        self._log.write(LogEvent.CONTAINER_STOPPED)

    async def _end(
        self,
        name: str,
        gently: tuple[Signals, float],
        hurry: asyncio.Task[None],
        *,
        fast: Signals = Signals.SIGKILL,
    ) -> None:
        child = self._running.get(name)
        if child is None or not child.running:
            return
        number, seconds = gently
        child.send(number)
        await asyncio.wait(
            (child.result, hurry), timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if not child.running:
            return
        self._log.write(LogEvent.PROCESS_DOES_NOT_END, process=name, waited_sec=seconds)
        child.send(fast)
        await asyncio.wait((child.result,), timeout=_FAST_END_SECONDS)
        child.send_group(Signals.SIGKILL)
        await child.ended()

    async def _hurried(self) -> None:
        while await self._inbox.next() not in ENDING:
            pass

    def _start(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        outputs: Sequence[int] = (),
    ) -> Child:
        child = self._processes.start(command, environ, outputs)
        self._running[name] = child
        self._log.write(LogEvent.PROCESS_STARTED, process=name, pid=child.pid)
        return child

    def _signal(self, name: str, number: Signals) -> None:
        if name in self._running:
            self._running[name].send(number)

    def _write_first_configuration(self) -> None:
        if self._proxy.first is not None:
            write(self._proxy.config, self._proxy.first)


async def _within(seconds: float, wait: Coroutine[None, None, None]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await wait


def _unable(name: str, ends: RestartHistory, code: int) -> str:
    return (
        f"{name} ended {ends.quick} times within {QUICK_SECONDS:g} s of its start, "
        f"the last time {_how(code)}"
    )


def _how(code: int) -> str:
    return f"by {Signals(-code).name}" if code < 0 else f"with exit code {code}"
