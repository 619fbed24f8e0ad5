"""Checks of an NGINX configuration: what loses requests at a reload. Pure."""

from collections.abc import Iterator
from pathlib import Path

from drove_gateway.model.finding import FileExamination, Finding
from drove_gateway.proxies.installation.version import Version, at_least
from drove_gateway.proxies.nginx.syntax import Directive, everywhere, parse

_KEEPALIVE_SINCE = "1.27.4"
_CERTIFICATES = ("ssl_certificate", "ssl_client_certificate", "proxy_ssl_trusted_certificate")


def examine(text: str, config: Path, version: Version | None) -> FileExamination:
    """Return what an NGINX of `version` with the configuration `text` loses requests or memory by.

    `config` is its path, which relative paths refer to. A text without `http` is included by
    another file, which may have the settings: then nothing is found.
    """
    directives = parse(text)
    complete = any(directive.name == "http" for directive in directives)
    return FileExamination(
        _findings(directives, version) if complete else (),
        tuple(_certificates(directives, config)),
    )


def _findings(directives: tuple[Directive, ...], version: Version | None) -> tuple[Finding, ...]:
    return (
        _keepalive(directives, version),
        Finding(
            "worker_shutdown_timeout",
            "warning",
            "Memory grows with each reload: without a limit, NGINX's old workers stay as long as "
            "any of their connections, such as a WebSocket.",
            ("main",) if not _has(directives, "worker_shutdown_timeout") else (),
            "Add `worker_shutdown_timeout 10m;` at the top of the template.",
        ),
    )


def _certificates(directives: tuple[Directive, ...], config: Path) -> Iterator[Path]:
    """Yield the files of certificates; those whose name has a variable are not known."""
    for name in _CERTIFICATES:
        for directive in everywhere(directives, name):
            if len(directive.words) > 1 and "$" not in directive.words[1]:
                yield config.parent / directive.words[1]


def _keepalive(directives: tuple[Directive, ...], version: Version | None) -> Finding:
    what = (
        "Requests on keep-alive connections fail at each reload: NGINX's old workers close such "
        "connections at once."
    )
    advice = "Add `keepalive_min_timeout 10s;` to the `http` block of the template."
    avoidable = version is None or at_least(version, _KEEPALIVE_SINCE)
    if version is not None and not avoidable:
        installed = ".".join(map(str, version))
        advice = (
            f"NGINX {installed} cannot avoid it; from {_KEEPALIVE_SINCE} on, use "
            "`keepalive_min_timeout 10s;`. Fewer reloads help: use the Lua balancer, or raise "
            "`reload_min_interval_sec`."
        )
    is_set = _has(directives, "keepalive_min_timeout")
    subjects = () if is_set else ("http",)
    return Finding("keepalive_min_timeout", "error", what, subjects, advice, avoidable)


def _has(directives: tuple[Directive, ...], name: str) -> bool:
    return any(True for _ in everywhere(directives, name))
