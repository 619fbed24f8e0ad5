"""Examine the controllers, the running gateway, the proxy's file and the certificates."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from drove_gateway.cli.doctor import app_checks, time_checks
from drove_gateway.cli.doctor.app_checks import KnownTags, TimeToTraffic
from drove_gateway.cli.doctor.certificates import read_expiries, server_expiries
from drove_gateway.cli.doctor.controllers import NamespaceReport, ask_controllers
from drove_gateway.cli.doctor.diagnosis import Diagnosis, diagnosis
from drove_gateway.cli.gateway_client import GatewayUnreachable, request_async
from drove_gateway.config import Settings
from drove_gateway.drove.leader import leader_of
from drove_gateway.files.regular import read_regular
from drove_gateway.model.errors import ProxyError
from drove_gateway.model.finding import FileExamination
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.registry import kind_of
from drove_gateway.status.document import HistoryEntry, StatusDocument
from drove_gateway.topology.build import build

# A poll comes up to a tenth later than its interval says.
_LATE = 1.1
_ASSUMED_APPLY_SECONDS = 0.5
_FEWEST_APPLIES = 5
_SPECIFICATIONS_SECONDS = 60.0
_MOST_TEMPLATE_BYTES = 16 << 20


async def examine(settings: Settings, *, patience: float = _SPECIFICATIONS_SECONDS) -> Diagnosis:
    """Examine everything, changing nothing.

    All specifications of a namespace may take `patience` seconds. Raises ConfigError.
    """
    kind = kind_of(settings)
    reports, history, (file, file_problems) = await asyncio.gather(
        ask_controllers(settings, patience), _history(settings), _examine_file(kind.file)
    )
    time = time_to_traffic(settings, history, [report.fetch_seconds for report in reports])
    ends, unread = read_expiries((*file.certificates, *_own_certificates(settings)))
    template, template_problems = _template(kind.file)
    served, unserved = await server_expiries(_urls(settings))
    specified = [app for report in reports for app in report.specified]
    rules = namespace_rules(settings)
    built = build({each.name: _snapshot(each) for each in reports if each.leader}, rules)
    clocks = {url: ahead for report in reports for url, ahead in report.clocks.items()}
    known = () if template is None else (_known_tags(settings, template),)
    return diagnosis(
        [
            app_checks.wait_before_kill(specified, time),
            app_checks.exposure_mode(specified),
            app_checks.shared_addresses({report.name: report.apps for report in reports}),
            *(app_checks.unread_tags(built, tags) for tags in known),
            app_checks.outside_every_realm(built),
            time_checks.clocks(clocks),
            *time_checks.expiring({**ends, **served}, datetime.now(UTC)),
            *file.findings,
        ],
        [
            *(problem for report in reports for problem in report.not_examined),
            *file_problems,
            *template_problems,
            *unread,
            *unserved,
        ],
    )


def time_to_traffic(
    settings: Settings, history: Sequence[HistoryEntry], fetches: Sequence[float | None]
) -> TimeToTraffic:
    """Return how long the proxy takes at most to follow a change of Drove.

    That is the longest pause between two polls, the slowest fetch, and an apply: the 99th
    percentile of the gateway's history, or an assumption where it has none.
    """
    poll = settings.event_refresh_interval_sec * _LATE
    fetch = max((each for each in fetches if each is not None), default=0.0)
    seconds = sorted(entry.seconds for entry in history if not entry.error)
    if len(seconds) >= _FEWEST_APPLIES:
        apply = seconds[min(len(seconds) - 1, int(0.99 * len(seconds)))]
        how = f"measured in {len(seconds)} applies"
    else:
        apply, how = _ASSUMED_APPLY_SECONDS, f"assumed apply of {_ASSUMED_APPLY_SECONDS:g} s"
    wait = 0.0 if _has_runtime_api(settings) else settings.reload_min_interval_sec
    return TimeToTraffic(poll + fetch + wait + apply, how)


def _has_runtime_api(settings: Settings) -> bool:
    if settings.proxy_platform == "haproxy":
        return settings.haproxy_socket is not None
    return bool(settings.nginxplusapiaddr)


async def _history(settings: Settings) -> Sequence[HistoryEntry]:
    """The history of the running gateway; empty if none responds."""
    try:
        document = await request_async(settings, "GET", "/v1/status", StatusDocument)
    except GatewayUnreachable:
        return ()
    return document.history


async def _examine_file(file: ConfiguredFile | None) -> tuple[FileExamination, tuple[str, ...]]:
    if file is None or not file.installed:
        return FileExamination(), ()
    try:
        return await file.examined(), ()
    except ProxyError as error:
        return FileExamination(), (f"{file.platform.name}'s configuration: {error}",)


def _template(file: ConfiguredFile | None) -> tuple[str | None, tuple[str, ...]]:
    """The text of the template, empty where none is needed, and why it cannot be read."""
    if file is None:
        return "", ()
    path = file.template_path
    try:
        return read_regular(path, _MOST_TEMPLATE_BYTES).decode(errors="replace"), ()
    except OSError as error:
        if not file.installed and isinstance(error, FileNotFoundError):
            return "", ()
        return None, (f"tags, because of the template {path}: {error.strerror}",)


def _known_tags(settings: Settings, template: str) -> KnownTags:
    named = {settings.drain_timeout_tag, *(each.routing_tag for each in settings.namespaces)}
    return KnownTags(frozenset(named - {""}), template, settings.delimiters[1])


def _own_certificates(settings: Settings) -> Iterator[Path]:
    named = [
        settings.port_tls_certfile if settings.port_use_tls else "",
        settings.nginxplusapi_ca_file,
        *(each.tls_ca_file for each in settings.namespaces),
    ]
    return (Path(path) for path in named if path)


def _urls(settings: Settings) -> Iterator[str]:
    return (url for each in settings.namespaces for url in each.drove)


def _snapshot(report: NamespaceReport) -> Snapshot:
    return Snapshot(report.name, leader_of(report.leader), report.apps, ())
