"""What many tests need: laws without a clock, short directories, and the real proxies' programs.

Tests of `END_TO_END` start real proxies, daemons or containers; `make test-unit` runs the others.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from drove_gateway.demo.proxy import find_program

# Laws are checked without a clock: a busy machine must not fail a test. CI tries the same examples
# each time, so that only a change makes a difference; everywhere else each run tries new ones.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("untimed")

# A shell's background job ignores Ctrl-C, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


TESTS = Path(__file__).parent
_MOST_OF_A_FAILURE = 4000
END_TO_END = (
    "admin/ui/test_browser.py",
    "benches",
    "cli/test_check_plan.py",
    "cli/test_status.py",
    "container",
    "docs/test_readme.py",
    "e2e",
    "examples/test_queries.py",
    "faults",
    "guides",
    "proxies/haproxy/test_faults.py",
    "proxies/haproxy/test_healing.py",
    "proxies/haproxy/test_traffic.py",
    "proxies/installation/test_installation.py",
    "proxies/installation/test_reloading.py",
    "proxies/nginx/lua/test_conformance.py",
    "proxies/nginx/lua/test_plus_client.py",
    "proxies/nginx/lua/test_traffic.py",
    "proxies/nginx/plus/test_chaos.py",
    "proxies/nginx/plus/test_daemon.py",
    "proxies/nginx/plus/test_end_to_end.py",
    "templates",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `END_TO_END`, and let tests that share a bench run in one process."""
    for item in items:
        if any(item.path.is_relative_to(TESTS / path) for path in END_TO_END):
            item.add_marker(pytest.mark.end_to_end)
        if isinstance(item, pytest.Function) and "shared_bench" in item.fixturenames:
            kind = item.callspec.params.get("shared_bench", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{kind}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print why tests were tried again: such a failure has a cause, too."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.write_sep("_", f"{report.nodeid} was tried again", yellow=True)
        terminalreporter.write_line(report.longreprtext[-_MOST_OF_A_FAILURE:])


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
