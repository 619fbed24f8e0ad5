"""Stalls of a daemon are measured, whatever else runs on the machine."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.faults.prober import LONGEST_STALL, Measurements, probe, queued_between
from tests.faults.watched import measurements_of, start_prober
from tests.waiting import until, within

BODY = b"metrics"


@contextmanager
def server(delays: list[float]) -> Iterator[str]:
    """Serve at the address that is yielded; each of `delays` is the delay of a response, and a
    negative delay closes the connection without a response."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            delay = delays.pop(0)
            if delay < 0:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            time.sleep(delay)
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        serving = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield f"127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            serving.join()


def waited(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def probed(delays: list[float]) -> Measurements:
    measurements = Measurements()
    with server(delays) as address:
        while delays:
            probe(os.getpid(), address, "/", measurements, waited)
    return measurements


def test_a_response_that_takes_too_long_is_a_stall() -> None:
    measurements = probed([0.0, 2 * LONGEST_STALL])
    assert measurements.probes == 2
    assert max(measurements.stalls) == pytest.approx(2 * LONGEST_STALL, rel=0.5)


def test_attempts_without_a_response_make_a_probe_longer() -> None:
    measurements = probed([-1.0, -1.0, 0.0])
    assert (measurements.probes, measurements.refused) == (1, 2)
    assert measurements.slowest_by_clock > 0.02


@pytest.mark.parametrize(
    ("took", "queued", "stalls"),
    [
        (0.2, 0.0, []),
        (0.5, 0.0, [0.5]),
        (8.0, 7.9, []),
        (8.0, 7.0, [1.0]),
        (0.1, 0.3, []),
    ],
)
def test_time_without_a_processor_is_not_a_stall(
    took: float, queued: float, stalls: list[float]
) -> None:
    measurements = Measurements()
    measurements.add(took, queued)
    assert measurements.stalls == stalls
    assert measurements.slowest_by_clock == took


def test_waits_of_new_threads_count_and_those_of_ended_threads_do_not() -> None:
    before = {"1": 5.0, "2": 9.0}
    after = {"1": 5.5, "3": 0.25}
    assert queued_between(before, after) == 0.75


async def test_a_prober_in_a_process_of_its_own_reports_when_it_ends() -> None:
    delays = [0.0] * 1000
    with server(delays) as address:
        prober = await start_prober(os.getpid(), f"http://{address}", "/")
        await until(lambda: len(delays) < 1000)
        measurements = await within(measurements_of(prober), 20, lambda: "the prober never ends")
    assert measurements.probes > 0
    assert measurements.refused == 0
