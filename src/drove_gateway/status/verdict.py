"""The page's first sentence: whether every vhost is served as Drove lists it. Pure."""

from typing import Literal

import msgspec

from drove_gateway.model.records import Progress
from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.wording import count_of
from drove_gateway.status.status import Status

Colour = Literal["green", "amber", "red", "grey"]


class Verdict(msgspec.Struct, frozen=True):
    """The sentence with its colour. `next` says what the gateway does about it."""

    colour: Colour
    sentence: str
    next: str = ""


def verdict(status: Status) -> Verdict:
    """Return what an engineer on call must know first."""
    if not status.history and status.progress.state == "waiting":
        return Verdict(
            "grey",
            "Nothing has been applied yet.",
            "The gateway waits for the first response of each namespace's leading controller.",
        )
    total = count_of(len(status.built.topology.apps), "vhost")
    following = _following(status.progress)
    fine = Verdict("green", f"All {total} served as Drove lists them.", following)
    return _failing(status, total, following) or _waiting(status) or fine


def _failing(status: Status, total: str, following: str) -> Verdict | None:
    """The sentence where vhosts are not served as they should be, or would soon not be."""
    if behind := _behind(status):
        number = count_of(len(behind), "vhost")
        return Verdict("red", f"{number} of {total} not served as Drove lists them.", following)
    if leaderless := [view.name for view in status.namespaces if not view.healthy]:
        return Verdict(
            "red",
            f"No controller leads in {_named(leaderless)}; the last known apps stay served.",
            "The gateway asks every controller again at each ping.",
        )
    if problem := _unhealthy(status):
        return Verdict("red", problem, following)
    return None


def _waiting(status: Status) -> Verdict | None:
    """The sentence where everything is served, but not for certain by the latest response."""
    if status.held:
        servers = sum(held.servers for held in status.held)
        return Verdict(
            "amber",
            f"{count_of(servers, 'server')} on hold: in traffic, although Drove no longer lists "
            "them.",
            "They leave as soon as there is a reason; see the list.",
        )
    if stale := [view.name for view in status.namespaces if view.last_error]:
        return Verdict(
            "amber",
            f"Apps of {_named(stale)} cannot be fetched; the last known apps stay served.",
            "The gateway asks again at each poll.",
        )
    return None


def _behind(status: Status) -> list[str]:
    """The vhosts whose applied form is not the desired form."""
    return [
        vhost
        for vhost in changed_keys(status.applied.apps, status.built.topology.apps)
        if status.applied.apps.get(vhost) != status.built.topology.apps.get(vhost)
    ]


def _unhealthy(status: Status) -> str:
    proxy = status.proxy
    sections = (
        ("The configuration", proxy.config),
        ("The template", proxy.template),
        ("The runtime API", proxy.upstream_updates),
        ("Name resolution", proxy.resolver),
    )
    for name, section in sections:
        if not section.healthy:
            return f"{name} has a problem: {section.message}"
    return ""


def _following(progress: Progress) -> str:
    match progress.state:
        case "retrying":
            return f"The gateway tries again: {progress.error}"
        case "pacing":
            return "A reload waits for its interval."
        case "applying" | "collecting":
            return "The change is being applied."
        case "held back":
            return "Nothing is changed until SIGUSR2: the proxy is being restarted."
        case _:
            return ""


def _named(names: list[str]) -> str:
    return f"namespace{'' if len(names) == 1 else 's'} {', '.join(names)}"
