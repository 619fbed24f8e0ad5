"""What many tests need: laws without a clock, short directories, and the real proxies' programs."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from drove_gateway.demo.proxy import find_program

# Laws are checked without a clock: a busy machine is no reason to fail. CI tries the same examples
# each time, so that only a change makes a difference; everywhere else each run tries new ones.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")

# A shell's background job ignores Ctrl-C, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """An empty directory whose sockets' paths stay below the system's 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def nginx() -> Path:
    """The real NGINX's program."""
    return find_program("nginx", None)


@pytest.fixture(scope="session")
def haproxy() -> Path:
    """The real HAProxy's program."""
    return find_program("haproxy", None)
