"""Checks of the apps that Drove lists, and of their specifications. Pure."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from drove_gateway.drove.specification import AppSpecification
from drove_gateway.model.finding import Finding
from drove_gateway.model.vocabulary import AppEndpoints
from drove_gateway.model.wording import first_and_more
from drove_gateway.topology.build import TopologyBuild

_APPS_SHOWN = 3


class SpecifiedApp(msgspec.Struct, frozen=True):
    """An app that Drove lists, and its specification."""

    namespace: str
    app: AppEndpoints
    specification: AppSpecification

    def __str__(self) -> str:
        return _named(self.namespace, self.app)


class TimeToTraffic(msgspec.Struct, frozen=True):
    """How long a change of Drove takes at most, in seconds, until the proxy follows it.

    `source` says how it is known.
    """

    seconds: float
    source: str


class KnownTags(msgspec.Struct, frozen=True):
    """The tags that settings name, and the text of the template; `right` is the right delimiter of
    its actions."""

    settings: frozenset[str]
    template: str
    right: str = "}}"

    def has(self, tag: str) -> bool:
        """Whether something reads `tag`: a setting, or the template, which may read all."""
        if tag in self.settings or self._reads_all():
            return True
        name = re.escape(tag)
        return bool(re.search(rf"""\.Tags\.{name}\b|["`]{name}["`]""", self.template))

    def _reads_all(self) -> bool:
        end = re.escape(self.right)
        return bool(re.search(rf"(?s)range\b(?:(?!{end}).)*\.Tags\s*-?{end}", self.template))


def wait_before_kill(apps: Sequence[SpecifiedApp], time: TimeToTraffic) -> Finding:
    """Find apps whose instances end before the proxy knows that they leave."""
    short = [
        f"{each}: {each.specification.wait_before_kill:g} s"
        for each in apps
        if each.specification.wait_before_kill is not None
        and each.specification.wait_before_kill < time.seconds
    ]
    return Finding(
        "wait_before_kill",
        "error",
        "Requests fail at each deployment and scale-down: Drove kills instances before the proxy "
        f"can know that they leave, which takes up to {time.seconds:.1f} s ({time.source}).",
        tuple(short),
        'In the app\'s specification, set "preShutdown": {"waitBeforeKill": '
        f'"{_enough(time.seconds)} seconds"}} or more.',
    )


def exposure_mode(apps: Sequence[SpecifiedApp]) -> Finding:
    """Find apps that expect a single instance in traffic, which Drove does not do."""
    return Finding(
        "exposure_mode",
        "warning",
        "These apps request a single instance in traffic (exposureSpec.mode = ONE), but Drove "
        "lists all healthy instances, so all of them get requests.",
        tuple(str(each) for each in apps if each.specification.mode == "ONE"),
        "Run a single instance, or have the app choose its leader itself.",
    )


def shared_addresses(listed: Mapping[str, Sequence[AppEndpoints]]) -> Finding:
    """Find addresses under two apps: requests of each may reach the other.

    Two namespaces may follow the same cluster, and list the same app.
    """
    apps: dict[tuple[str, int], dict[str, str]] = {}
    for namespace, endpoints in listed.items():
        for app in endpoints:
            for host in app.hosts:
                names = apps.setdefault((host.host, host.port), {})
                names.setdefault(app.app_id, _named(namespace, app))
    return Finding(
        "shared_address",
        "error",
        "Requests may reach the wrong app: the same host and port is listed under several apps.",
        tuple(
            f"{host}:{port}: {', '.join(names.values())}"
            for (host, port), names in sorted(apps.items())
            if len(names) > 1
        ),
        "Check the executor of that host: a dead instance may still be reported, and its port be "
        "used again.",
    )


def unread_tags(built: TopologyBuild, known: KnownTags) -> Finding:
    """Find tags of accepted apps that neither a setting nor the template reads."""
    users: dict[str, list[str]] = {}
    for namespace, part in built.parts.items():
        for accepted in part.accepted_apps.values():
            if accepted.vhost:
                for tag in accepted.tags:
                    users.setdefault(tag, []).append(_named(namespace, accepted.source))
    return Finding(
        "unread_tag",
        "note",
        "No rule reads these tags: neither a setting nor the template names them, so they have no "
        "effect on traffic. They may be meant for something else, or be misspelled.",
        tuple(
            f"{tag}: {first_and_more(sorted(apps), _APPS_SHOWN, separator=', ')}"
            for tag, apps in sorted(users.items())
            if not known.has(tag)
        ),
        "Correct the tag in the app's specification, or name it in the template.",
    )


def outside_every_realm(built: TopologyBuild) -> Finding:
    """Find vhosts that no namespace's realm includes, so that nobody serves them here."""
    return Finding(
        "outside_every_realm",
        "warning",
        "This gateway does not serve these vhosts: they are outside of every realm.",
        tuple(sorted(_outside(built))),
        "If they should be served here, extend `realm` or `realm_suffix` of the namespace.",
    )


def _outside(built: TopologyBuild) -> Iterator[str]:
    for namespace, part in built.parts.items():
        for accepted in part.accepted_apps.values():
            vhost = accepted.source.vhost
            if accepted.ignored_by_realm and vhost not in built.topology.apps:
                yield _named(namespace, accepted.source)


def _named(namespace: str, app: AppEndpoints) -> str:
    return f"{app.app_id} ({app.vhost}, namespace {namespace})"


def _enough(seconds: float) -> int:
    """Twice as long at least, as a multiple of five."""
    return max(1, math.ceil(seconds * 2 / 5)) * 5
