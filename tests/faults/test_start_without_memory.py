"""A gateway that starts without memory beside a proxy that serves never makes it worse."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.benches.processes import APPS, KINDS, Bench, running_bench
from tests.traffic import Tally
from tests.waiting import until

from drove_gateway.simulator.faults import Fault
from drove_gateway.state.file import NAME

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=KINDS)
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A bench that every test leaves healthy."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with running_bench(request.param, Path(name)) as made:
            yield made


async def forgetful_start(bench: Bench, template: str) -> str:
    """Start the gateway again, with this template and without its state; return the file."""
    await bench.daemon.stop()
    forget(bench)
    bench.proxy.template.write_text(template)
    present = bench.proxy.config.read_text()
    await bench.daemon.start()
    return present


def forget(bench: Bench, memory: str = "no state") -> None:
    """Remove the stored state of a gateway that is stopped, or all but the start of it."""
    state = bench.directory / "state"
    if memory == "no state":
        shutil.rmtree(state)
    else:
        (state / NAME).write_bytes((state / NAME).read_bytes()[:100])


async def sends(tally: Tally, requests: int) -> None:
    """Let clients send so many more requests."""
    end = tally.requests + requests
    await until(lambda: tally.requests >= end)


async def repaired(bench: Bench, template: str) -> None:
    """Write the good template again, and see the next change reach traffic."""
    bench.proxy.template.write_text(template)
    await bench.healthy()
    await changes_reach_traffic(bench)


async def changes_reach_traffic(bench: Bench) -> None:
    """Scale an app up or down, and wait until clients reach exactly its instances."""
    instances = len(bench.cluster.app("web").hosts())
    await bench.cluster.scale("web", 7 - instances)
    await bench.serves()


@pytest.mark.parametrize(
    ("broken", "section", "words"),
    [
        pytest.param("{{rang .Apps}}", "Template", "rang", id="a typo in the template"),
        pytest.param(
            "{{range .Apps}}{{.NoSuchField}}{{end}}",
            "Template",
            "NoSuchField",
            id="a template that fails on every vhost",
        ),
        pytest.param(
            "{{range .Apps}}\nnosuchdirective {{.Vhost}};\n{{end}}",
            "Config",
            "nosuchdirective",
            id="a directive that the proxy refuses in every vhost",
        ),
    ],
)
async def test_a_broken_template_changes_neither_file_nor_traffic(
    bench: Bench, broken: str, section: str, words: str
) -> None:
    good = bench.proxy.template.read_text()
    async with bench.traffic():
        present = await forgetful_start(bench, good + broken)
        health = await bench.says(words)
        assert not health[section]["Healthy"]
        assert words in health[section]["Message"]
        assert bench.proxy.config.read_text() == present
        await repaired(bench, good)


async def test_a_missing_certificate_changes_neither_file_nor_traffic(bench: Bench) -> None:
    good = bench.proxy.template.read_text()
    if bench.proxy.kind == "nginx":
        line, changed = "server_tokens off;", "ssl_certificate /no/such/certificate.pem;"
    else:
        line = "frontend drove:clients from drove\n"
        changed = f"{line}    bind 127.0.0.1:1 ssl crt /no/such/certificate.pem\n"
    assert line in good
    async with bench.traffic():
        present = await forgetful_start(bench, good.replace(line, changed, 1))
        health = await bench.says("certificate.pem")
        assert not health["Config"]["Healthy"]
        assert bench.proxy.config.read_text() == present
        await repaired(bench, good)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(bench: Bench) -> tuple[str, ...]:
    """The vhosts of twenty apps, which are served."""
    more = tuple(f"more{number}" for number in range(20 - len(APPS)))
    for name in more:
        await bench.cluster.deploy(name, instances=2)
    await bench.serves(*APPS, *more)
    return tuple(bench.vhost(name) for name in (*APPS, *more))


@pytest.mark.parametrize("memory", ["no state", "a torn state file"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(Fault(kind="empty", route="endpoints"), "accepted a connection", id="empty"),
        pytest.param(
            Fault(kind="partial", keep=0.05, route="endpoints"),
            "accepted a connection",
            id="one of twenty apps",
        ),
        pytest.param(Fault(kind="reset"), "All endpoints are down", id="controllers away"),
    ],
)
async def test_a_first_response_without_some_apps_takes_none_from_traffic(
    bench: Bench, fleet: tuple[str, ...], fault: Fault, words: str, memory: str
) -> None:
    async with bench.traffic(*fleet) as tally:
        await bench.daemon.stop()
        forget(bench, memory)
        bench.cluster.fault(fault)
        await bench.daemon.start()
        await bench.says(words)
        await sends(tally, 10 * len(fleet))
        bench.cluster.clear_faults()
        await bench.healthy()
        await changes_reach_traffic(bench)


async def test_a_torn_state_file_alone_changes_nothing(
    bench: Bench, fleet: tuple[str, ...]
) -> None:
    async with bench.traffic(*fleet):
        await bench.daemon.stop()
        forget(bench, "a torn state file")
        await bench.daemon.start()
        await bench.says("could not be used", "was renamed to")
        await bench.healthy()
        await changes_reach_traffic(bench)
