"""A gateway that starts without memory beside a proxy that serves never makes it worse."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.benches.processes import KINDS, Bench, running_bench

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
    shutil.rmtree(bench.directory / "state")
    bench.proxy.template.write_text(template)
    present = bench.proxy.config.read_text()
    await bench.daemon.start()
    return present


async def repaired(bench: Bench, template: str) -> None:
    """Write the good template again, and see the next change reach traffic."""
    bench.proxy.template.write_text(template)
    await bench.healthy()
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
