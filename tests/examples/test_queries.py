"""Every series in the queries of dashboard and alerts is exported by real gateways."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from tests.benches.processes import Bench, running_bench
from tests.certificates import write_certificate
from tests.examples.queries import (
    OF_THE_TARGET,
    Asked,
    Query,
    asked,
    of_the_alerts,
    of_the_dashboard,
    of_the_variables,
)
from tests.proxies.nginx.plus.test_daemon import daemon
from tests.standins.nginx_plus.faults import Fault
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.waiting import until

from drove_gateway.metrics.catalog import DECLARED, ORIGINAL
from drove_gateway.simulator import Options, Simulator
from drove_gateway.simulator.faults import Fault as ControllerFault

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The label names of every exported metric.
Shown = Mapping[str, frozenset[str]]

QUERIES = [*of_the_dashboard(), *of_the_alerts()]

# Series that Prometheus itself adds for each target.
OF_PROMETHEUS = {"up": frozenset[str]()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown() -> Shown:
    """Return what gateways with HAProxy and NGINX Plus export after changes and a fault."""
    texts = [await _before_haproxy(), await _before_nginx_plus()]
    found: dict[str, set[str]] = defaultdict(set)
    for line in "\n".join(texts).splitlines():
        if series := re.match(r"(\w+)(?:{(.*)})? ", line):
            found[series[1]] |= set(re.findall(r'(\w+)="', series[2] or ""))
    return {name: frozenset(labels) for name, labels in found.items()}


async def _before_haproxy() -> str:
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with running_bench("haproxy-by-runtime-api", Path(name)) as bench:
            for instances in (4, 2):
                await bench.cluster.scale("web", instances)
                await bench.serves("web")
            bench.cluster.fault(ControllerFault(kind="empty", route="endpoints"))
            await bench.cluster.scale("web", 3)
            await _showing(bench, "vhost_held_servers{")
            (bench.directory / "runtime.sock").rename(bench.directory / "away")
            return await _showing(bench, "haproxy_api_calls_failed_total{")


async def _showing(bench: Bench, series: str) -> str:
    text = ""

    async def so() -> bool:
        nonlocal text
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{bench.daemon.api}/v1/metrics") as answer,
        ):
            text = await answer.text()
        return series in text

    await until(so)
    return text


async def _before_nginx_plus() -> str:
    """NGINX Plus's stand-in, which in the end refuses to change one upstream."""
    text = ""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with running(NginxPlus()) as nginx, Simulator(Options(apps=0)) as cluster:
            await cluster.deploy("web", instances=2)
            certificates = Path(name) / "certificates"
            certificates.mkdir()
            write_certificate(certificates / "default.pem", "default.example")
            table = f'[template]\nTLS_CERTIFICATES = "{certificates}"\n'
            async with daemon(nginx, cluster, Path(name), table) as gateway:
                await until(gateway.healthy)
                await cluster.scale("web", 1)
                await until(lambda: len(nginx.servers("web.local")) == 1)
                nginx.api.faults.append(Fault("status", method="POST"))
                await cluster.scale("web", 3)

                async def failed() -> bool:
                    nonlocal text
                    _, text = await gateway.get("/v1/metrics")
                    wanted = ('vhost_failed{vhost="web.local"}', "certificate_expiry")
                    return all(f"drove_gateway_{series}" in text for series in wanted)

                await until(failed)
    return text


def missing(wanted: Asked, known: Shown) -> list[str]:
    """Return the series of a query that no gateway exports."""
    known = {**known, **OF_PROMETHEUS}
    names = {name for name, _ in wanted.metrics}
    labels = {*wanted.metrics, *((name, label) for name in names for label in wanted.grouped)}
    return sorted(
        f"{name}{{{label}}}"
        for name, label in labels
        if name not in known or (label and label not in known[name] | OF_THE_TARGET)
    )


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
async def test_series_of_a_query_are_exported(query: Query, shown: Shown) -> None:
    assert missing(asked(query.expr), shown) == []


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.where)
async def test_label_in_a_legend_or_an_annotation_is_exported(query: Query, shown: Shown) -> None:
    wanted = asked(query.expr)
    known = {**shown, **OF_PROMETHEUS}
    left = wanted.grouped or frozenset().union(*(known[name] for name, _ in wanted.metrics))
    assert query.shown <= left | (OF_THE_TARGET if not wanted.grouped else frozenset())


@pytest.mark.parametrize(("selector", "label"), list(of_the_variables()))
async def test_values_of_a_variable_are_an_exported_label(
    selector: str, label: str, shown: Shown
) -> None:
    wanted = asked(selector)
    assert missing(wanted, shown) == []
    assert all(label in shown[name] | OF_THE_TARGET for name, _ in wanted.metrics)


async def test_every_metric_of_the_catalogue_is_exported(shown: Shown) -> None:
    for metric in DECLARED:
        parts = ("_bucket", "_sum", "_count") if metric.kind == "histogram" else ("",)
        for part in parts:
            assert metric.shown + part in shown


async def test_a_dashboard_made_for_the_original_finds_its_metrics_and_labels(shown: Shown) -> None:
    for metric in ORIGINAL:
        name = f"{metric.shown}_count" if metric.kind == "histogram" else metric.shown
        assert shown[name] == frozenset(metric.labels)


async def test_the_dashboard_shows_every_metric_of_the_gateway() -> None:
    queried = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for query in of_the_dashboard()
        for name, _ in asked(query.expr).metrics
    }
    assert {metric.shown for metric in DECLARED} - queried == set()
