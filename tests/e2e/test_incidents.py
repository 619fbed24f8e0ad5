"""Five staged incidents: the page, `status` and `explain` name the cause and the next step."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.benches.known_state import SharedBench
from tests.benches.processes import Bench, running_bench
from tests.benches.tagged_template import balanced_by_a_tag
from tests.e2e.incidents import Views, views
from tests.waiting import until

from drove_gateway.simulator.faults import Fault

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROXIES = ("haproxy-by-runtime-api", "nginx")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PROXIES)
async def shared_bench(request: pytest.FixtureRequest) -> AsyncIterator[SharedBench]:
    """A bench with a proxy of each product."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        made = SharedBench(lambda: running_bench(request.param, Path(name)))
        yield made
        await made.close()


def assert_each_names(seen: Views, *texts: str) -> None:
    """Assert that all three views contain each of `texts`."""
    missing = [
        f"{view} does not contain {text!r}:\n{getattr(seen, view)}"
        for view in ("page", "status", "explain")
        for text in texts
        if text not in getattr(seen, view)
    ]
    assert not missing, "\n".join(missing)


async def says_first(bench: Bench, beginning: str) -> None:
    """Wait until the first sentence begins like this."""
    await bench.reports("/v1/status", lambda status: status["sentence"].startswith(beginning))


async def test_controllers_that_refuse_the_credentials(shared: Bench) -> None:
    shared.cluster.fault(Fault(kind="status", status=401))
    await says_first(
        shared, "No controller leads in namespace main; the last known apps stay served. "
    )

    seen = await views(shared, "web.test")

    assert_each_names(
        seen,
        f"{shared.cluster.urls[0]}: 401 Unauthorized: Credentials are required",
        "What helps: correct `user` and `pass`, or `access_token`, of the namespace in nixy.toml, "
        "then run systemctl reload drove-gateway",
    )
    assert "web.test: It is served." in seen.explain


async def test_a_start_without_memory_at_controllers_that_refuse_the_credentials(
    shared: Bench,
) -> None:
    await shared.daemon.stop()
    shutil.rmtree(shared.directory / "state")
    shared.cluster.fault(Fault(kind="status", status=401))
    async with shared.traffic("web.test"):
        await shared.daemon.start()
        await shared.says("All endpoints are down")
        await until(lambda: "event=nothing_stored" in shared.daemon.tail())
        seen = await views(shared, "web.test")

    assert_each_names(
        seen,
        "Nothing has been applied yet, and the proxy serves what it had. "
        "No controller of namespace main leads: ",
        "401 Unauthorized: Credentials are required",
        "What helps: correct `user` and `pass`, or `access_token`, of the namespace in nixy.toml",
    )
    assert "web.test: It is served as " in seen.explain


async def test_a_vhost_that_the_proxy_refuses(shared: Bench) -> None:
    line, template = balanced_by_a_tag(shared.proxy.template.read_text(), shared.kind)
    shared.proxy.template.write_text(template)
    await until(lambda: line not in shared.proxy.config.read_text())
    await shared.cluster.deploy("bad", instances=1, tags={"lb": "nonsense"})
    await says_first(shared, "1 of 3 vhosts not served as Drove lists them. bad.test")

    seen = await views(shared, "bad.test")

    cause = "unknown directive" if shared.kind == "nginx" else "balance only supports"
    assert_each_names(seen, "bad.test", cause, "What helps: drove-gateway explain bad.test")
    assert "bad.test: This is 404 because its change cannot be applied: " in seen.explain
    await shared.serves("web", "api")


async def test_a_withdrawal_on_hold(shared: Bench) -> None:
    async with shared.traffic("web.test"):
        shared.cluster.fault(Fault(kind="no-hosts", route="endpoints"))
        await says_first(shared, "6 servers on hold: in traffic, although Drove no longer lists ")
        seen = await views(shared, "web.test")

    assert_each_names(seen, " because ", "What helps: drove-gateway accept ")
    assert "What helps: drove-gateway accept web.test" in seen.explain
    assert "3 servers of 3 accepted a connection" in seen.explain


async def test_a_haproxy_without_its_socket(shared: Bench) -> None:
    if shared.kind == "nginx":
        pytest.skip("this NGINX has no runtime API")
    socket, away = shared.directory / "runtime.sock", shared.directory / "away"
    socket.rename(away)
    try:
        await says_first(shared, "The runtime API cannot be used: ")
        seen = await views(shared, "web.test")
    finally:
        away.rename(socket)

    assert_each_names(
        seen,
        "The runtime API cannot be used: HAProxy's runtime API at ",
        "runtime.sock cannot be reached: No such file or directory",
        "What helps: check that the proxy runs, that nixy.toml names its API",
    )
    assert "web.test: It is served." in seen.explain


@pytest.mark.parametrize(
    ("written", "cause"),
    [
        pytest.param("{{.Xproxy", "tmpl:", id="its syntax is wrong"),
        pytest.param("{{.Xproxi}}", "Xproxi", id="a field does not exist"),
        pytest.param("", "No such file or directory", id="the file is gone"),
    ],
)
async def test_a_template_that_cannot_be_loaded(shared: Bench, written: str, cause: str) -> None:
    good = shared.proxy.template.read_text()
    if written:
        shared.proxy.template.write_text(good.replace("{{.Xproxy}}", written))
    else:
        shared.proxy.template.unlink()
    await says_first(shared, "The template cannot be used: ")

    seen = await views(shared, "web.test")

    assert_each_names(
        seen,
        "The template cannot be used: ",
        cause,
        "the last good template is used instead",
        "What helps: correct the template",
    )
    assert "web.test: It is served." in seen.explain
