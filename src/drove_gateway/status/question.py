"""What a person asks about: a URL, a vhost, an app, an instance's host:port. Pure."""

from collections.abc import Container, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

import msgspec

from drove_gateway.model.spelling import host_spelling, valid_vhost, vhost_spelling
from drove_gateway.model.vocabulary import EMPTY, App, Host, Topology
from drove_gateway.status.suggestion import nearest
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.namespace_build import AcceptedApp

LONGEST_QUESTION = 1000


class Subject(msgspec.Struct, frozen=True):
    """The vhosts that a question is about, and how it was understood: "app web-1"."""

    understood: str
    vhosts: tuple[str, ...]


def subject_of(built: TopologyBuild, question: str, applied: Topology = EMPTY) -> Subject:
    """Return what `question` is about; `applied` may have vhosts that are no longer in `built`.

    A vhost that is known counts first, then an app by name or id, then an instance. An address
    with a port that no app lists is about no vhost. Anything else is taken for a vhost that is not
    known.
    """
    served = {**applied.apps, **built.topology.apps}
    text = question.strip()
    host, port = _host_and_port(text)
    vhost = vhost_spelling(host or text)
    if vhost in served or vhost in built.leader_vhosts or vhost in _listed_vhosts(built):
        return Subject(f"vhost {vhost}", (vhost,))
    if apps := sorted({each.source.vhost for each in _apps(built, text)}):
        return Subject(f"app {text}", tuple(apps))
    if port and (listing := tuple(_listing(built, applied, host, port))):
        return Subject(f"instance {host}:{port}", tuple(dict.fromkeys(sorted(listing))))
    if port and _is_address(host):
        return Subject(f"instance {host}:{port}, which no app lists", ())
    if serving := _wildcard(served, vhost):
        return Subject(f"vhost {vhost}, which {serving} includes", (serving,))
    return Subject(f"vhost {vhost}", (vhost,))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _host_and_port(text: str) -> tuple[str, int]:
    """The host and port of a URL or of host:port; 0 where no port is named."""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host = parts.hostname or ""
        return host_spelling(host), parts.port or 0
    except ValueError:
        return "", 0


def similar(built: TopologyBuild, name: str) -> str:
    """Return a vhost that begins with `name`, or a vhost or app of a similar name; or nothing."""
    vhosts = {*built.topology.apps, *built.leader_vhosts, *_listed_vhosts(built)}
    return nearest(name, vhosts, {app.source.app_name for app in _accepted(built)})


def _listed_vhosts(built: TopologyBuild) -> Iterator[str]:
    return (app.source.vhost for app in _accepted(built))


def _accepted(built: TopologyBuild) -> Iterator[AcceptedApp]:
    for part in built.parts.values():
        yield from part.accepted_apps.values()


def _apps(built: TopologyBuild, text: str) -> Iterator[AcceptedApp]:
    """The apps of a name or id, in whatever case it is typed."""
    name = text.lower()
    for app in _accepted(built):
        if name in {app.source.app_name.lower(), app.source.app_id.lower()}:
            yield app


def _listing(built: TopologyBuild, applied: Topology, host: str, port: int) -> Iterator[str]:
    """The vhosts that have an instance, as Drove lists it, and as it is applied."""
    for app in _accepted(built):
        if any(_is(each, host, port) for each in app.source.hosts):
            yield app.source.vhost
    for vhost, served in applied.apps.items():
        if _has(served, host, port):
            yield vhost


def _has(app: App, host: str, port: int) -> bool:
    return any(_is(each, host, port) for each in app.hosts)


def _is(listed: Host, host: str, port: int) -> bool:
    return listed.port == port and listed.host.strip("[]").lower() == host


def _wildcard(served: Container[str], vhost: str) -> str:
    """The longest wildcard vhost that includes `vhost`, or nothing."""
    name = valid_vhost(vhost)
    # `.example.com` includes `example.com` too.
    if f".{name}" in served:
        return f".{name}"
    labels = name.split(".")
    for start in range(1, len(labels)):
        rest = ".".join(labels[start:])
        for wildcard in (f"*.{rest}", f".{rest}"):
            if wildcard in served:
                return wildcard
    return ""
