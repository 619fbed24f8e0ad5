"""What the proxy writes reaches the container's log, except for what every reload repeats."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drove_gateway.config import Settings
from drove_gateway.container.relay import LineFilter, Relay
from drove_gateway.proxies.haproxy.local import IN_CONTAINER
from drove_gateway.proxies.local import SupervisedProxy

# As HAProxy 2.8 writes them at a reload.
NOISE = (
    b"[WARNING]  (5924) : Proxy http stopped (cumulated conns: FE: 0, BE: 0).\n",
    b"[WARNING]  (5924) : Proxy web.test/g1 stopped (cumulated conns: FE: 0, BE: 12).\n",
    b"Proxy b4 stopped (cumulated conns: FE: 0, BE: 0).\n",
)
NEWS = (
    b"[NOTICE]   (5921) : Reloading HAProxy\n",
    b"[ALERT]    (5921) : config : [h.cfg:14] : 'server b0/s' : unknown keyword 'bogus'.\n",
    b"[WARNING]  (5921) : Loading failure!\n",
    b"\n",
    # A client must not be able to hide its requests.
    b'10.0.0.1 "GET / Proxy b4 stopped (cumulated conns: FE: 0, BE: 0)."\n',
    b"Proxy b4 stopped (cumulated conns: FE: 0, BE: 0). or not\n",
)


@pytest.fixture
def lines() -> LineFilter:
    proxy = supervised()
    assert proxy.noise is not None
    return LineFilter(proxy.noise)


def supervised() -> SupervisedProxy:
    return IN_CONTAINER.supervised(
        Settings.model_validate({"haproxy_master_socket": "/tmp/m.sock"}), "", Path("/tmp")
    )


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_only_lines_about_stopped_backends_are_left_out(lines: LineFilter, size: int) -> None:
    text = b"".join((*NOISE, *NEWS, *NOISE, *NEWS, b"no end"))
    passed = b"".join(lines.feed(text[at : at + size]) for at in range(0, len(text), size))
    assert passed + lines.end() == b"".join((*NEWS, *NEWS, b"no end"))


def test_a_line_without_an_end_does_not_fill_the_memory(lines: LineFilter) -> None:
    passed = b"".join(lines.feed(b"x" * 10_000) for _ in range(100))
    assert len(passed) > 900_000


def test_both_streams_are_copied_until_the_end() -> None:
    script = (
        "import os, re; from drove_gateway.container.relay import Relay\n"
        "relay = Relay(re.compile(rb'(?m)^noise$'))\n"
        "os.write(relay.inputs[0], b'to stdout\\nnoise\\n')\n"
        "os.write(relay.inputs[1], b'to stderr')\n"
        "relay.close()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"to stdout\n", b"to stderr")


def test_a_closed_target_never_makes_the_proxy_wait() -> None:
    read, target = os.pipe()
    os.close(read)
    noise = supervised().noise
    assert noise is not None
    relay = Relay(noise, (target,))
    for _ in range(100):
        assert os.write(relay.inputs[0], NEWS[0] * 1000) > 0
    relay.close()
    os.close(target)
