"""The page's first sentence: whether every vhost is served as Drove lists it. Pure."""

from collections.abc import Mapping
from itertools import chain
from typing import Literal

import msgspec

from drove_gateway.model.records import Progress
from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.wording import count_of
from drove_gateway.status.problems import leaderless, of_holds, of_the_proxy, of_vhosts
from drove_gateway.status.status import Status

_MOST_REASONS = 1

Colour = Literal["green", "amber", "red", "grey"]

# In these states a difference is a change on its way, and nothing is wrong.
_CHANGING: Mapping[str, Colour] = dict.fromkeys(
    ("applying", "collecting", "pacing", "held back"), "amber"
)


class Verdict(msgspec.Struct, frozen=True):
    """The sentence with its colour. `next` says what the gateway does about it, `helps` what to
    type or to change. `proven` is when the last apply without a failure ended (Unix seconds)."""

    colour: Colour
    sentence: str
    next: str = ""
    helps: str = ""
    proven: float | None = None


def verdict(status: Status) -> Verdict:
    """Return what an engineer on call must know first."""
    if not status.history and status.progress.state == "waiting":
        return _ended(_begun(status))
    following = _following(status.progress)
    found = _failing(status, following) or _waiting(status) or _fine(status, following)
    return _ended(msgspec.structs.replace(found, proven=_proven(status)))


def _ended(found: Verdict) -> Verdict:
    """Return the verdict with a full stop after a sentence that ends with others' words."""
    if found.sentence.endswith((".", "…", "!", "?")):
        return found
    return msgspec.structs.replace(found, sentence=f"{found.sentence}.")


def _proven(status: Status) -> float | None:
    complete = (each for each in status.history if not (each.error or each.failed))
    last = next(complete, None)
    return None if last is None else last.at + last.took


def _begun(status: Status) -> Verdict:
    """The sentence after a start, before and after the controllers were asked."""
    waits = "The gateway waits for the first response of each namespace's leading controller."
    asked = not any(view.unasked for view in status.namespaces)
    alone = [view for view in status.namespaces if view.leaderless]
    if asked and alone:
        problem = leaderless(alone[0], _MOST_REASONS)
        sentence = (
            f"Nothing has been applied yet, and the proxy serves what it had. "
            f"{problem.what}: {problem.cause}"
        )
        return Verdict("red", sentence, waits, problem.helps)
    return Verdict("grey", "Nothing has been applied yet.", waits)


def _fine(status: Status, following: str) -> Verdict:
    total = len(status.built.topology.apps)
    if not total:
        return Verdict(
            "amber",
            "There is no vhost to serve: Drove lists none for this gateway.",
            following,
            "drove-gateway check names what realm and routing tag exclude, and what is rejected",
        )
    return Verdict(
        "green", f"All {count_of(total, 'vhost')} served as Drove lists them.", following
    )


def _failing(status: Status, following: str) -> Verdict | None:
    """The sentence where vhosts are not served as they should be, or would soon not be."""
    if behind := _behind(status):
        desired = status.built.topology.apps
        leaving = sum(vhost not in desired for vhost in behind)
        total = count_of(len(desired) + leaving, "vhost")
        sentence = f"{len(behind):,} of {total} not served as Drove lists them"
        if problem := next(chain(of_vhosts(status), of_the_proxy(status)), None):
            cause = f"{sentence}. {problem.what}: {problem.cause}"
            return Verdict("red", cause, following, problem.helps)
        return Verdict(_CHANGING.get(status.progress.state, "red"), f"{sentence}.", following)
    if alone := [view for view in status.namespaces if view.leaderless]:
        problem = leaderless(alone[0], _MOST_REASONS)
        names = _named([view.name for view in alone])
        return Verdict(
            "red",
            f"No controller leads in {names}; the last known apps stay served. {problem.cause}",
            "The gateway asks every controller again at each ping.",
            problem.helps,
        )
    if problem := next(of_the_proxy(status), None):
        return Verdict("red", f"{problem.what}: {problem.cause}", following, problem.helps)
    return None


def _waiting(status: Status) -> Verdict | None:
    """The sentence where everything is served, but not for certain by the latest response."""
    if status.held:
        servers = sum(held.servers for held in status.held)
        return Verdict(
            "amber",
            f"{count_of(servers, 'server')} on hold: in traffic, although Drove no longer lists "
            f"them, because {status.held[0].reason}.",
            "They leave as soon as there is a reason; see the list.",
            next(of_holds(status)).helps,
        )
    if stale := [view for view in status.namespaces if view.last_error]:
        return Verdict(
            "amber",
            f"Apps of {_named([view.name for view in stale])} cannot be fetched; the last known "
            f"apps stay served. {stale[0].last_error}",
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


def _following(progress: Progress) -> str:
    match progress.state:
        case "retrying":
            return "The gateway tries again by itself."
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
