"""What a person asks about: a URL, a vhost, an app, an instance's host:port. Pure."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from drove_gateway.model.spelling import host_spelling, valid_vhost, vhost_spelling
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.status.status import Status
from drove_gateway.topology.namespace_build import AcceptedApp

LONGEST_QUESTION = 1000


class Subject(msgspec.Struct, frozen=True):
    """The vhosts that a question is about, and how it was understood: "app web-1"."""

    understood: str
    vhosts: tuple[str, ...]


def subject_of(status: Status, question: str) -> Subject:
    """Return what `question` is about.

    A vhost that is known counts first, then an app by name or id, then an instance. Anything else
    is taken for a vhost that is not known.
    """
    text = question.strip()
    host, port = _host_and_port(text)
    vhost = vhost_spelling(host or text)
    if _is_known(status, vhost):
        return Subject(f"vhost {vhost}", (vhost,))
    if apps := sorted({each.source.vhost for each in _apps(status, text)}):
        return Subject(f"app {text}", tuple(apps))
    if port and (listing := tuple(_listing(status, host, port))):
        return Subject(f"instance {host}:{port}", tuple(dict.fromkeys(sorted(listing))))
    if serving := _wildcard(status, vhost):
        return Subject(f"vhost {vhost}, which {serving} includes", (serving,))
    return Subject(f"vhost {vhost}", (vhost,))


def _host_and_port(text: str) -> tuple[str, int]:
    """The host and port of a URL or of host:port; 0 where no port is named."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host = parts.hostname or ""
        return host_spelling(host), parts.port or 0
    except ValueError:
        return "", 0


def _is_known(status: Status, vhost: str) -> bool:
    topology = status.built.topology
    if vhost in topology.apps or vhost in status.applied.apps:
        return True
    if vhost in status.built.leader_vhosts:
        return True
    return any(app.source.vhost == vhost for app in _accepted(status))


def _accepted(status: Status) -> Iterator[AcceptedApp]:
    for part in status.built.parts.values():
        yield from part.accepted_apps.values()


def _apps(status: Status, name: str) -> Iterator[AcceptedApp]:
    return (app for app in _accepted(status) if name in {app.source.app_name, app.source.app_id})


def _listing(status: Status, host: str, port: int) -> Iterator[str]:
    """The vhosts that have an instance, as Drove lists it, and as it is applied."""
    for app in _accepted(status):
        if any(_is(each, host, port) for each in app.source.hosts):
            yield app.source.vhost
    for vhost, served in status.applied.apps.items():
        if _has(served, host, port):
            yield vhost


def _has(app: App, host: str, port: int) -> bool:
    return any(_is(each, host, port) for each in app.hosts)


def _is(listed: Host, host: str, port: int) -> bool:
    return listed.port == port and listed.host.strip("[]").lower() == host


def _wildcard(status: Status, vhost: str) -> str:
    """The longest wildcard vhost that includes `vhost`, or nothing."""
    labels = valid_vhost(vhost).split(".")
    for start in range(1, len(labels)):
        rest = ".".join(labels[start:])
        for wildcard in (f"*.{rest}", f".{rest}"):
            if wildcard in status.applied.apps or wildcard in status.built.topology.apps:
                return wildcard
    return ""
