"""A preview as text: what would be done, in order, and why. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from drove_gateway.model.plan import Plan, Step
from drove_gateway.model.wording import shortened
from drove_gateway.proxies.installation.preview import Preview
from drove_gateway.status.document import StatusDocument

_MOST_SHOWN = 10
_WIDEST_SUBJECT = 48


_DISAGREES = (
    "the running gateway is idle, so it makes another configuration of the same data: the template "
    "prints the time (`datetime`), nixy.toml or the template has changed and waits for SIGHUP, or "
    "the environment variables that the template reads are others in this shell; values in a "
    "[template] table are the same for both"
)


def with_disagreement(preview: Preview, running: StatusDocument) -> Preview:
    """Return `preview` with a note if a gateway that has nothing to do would be expected to act."""
    idle = running.healthy and running.reconciler.state == "idle"
    if not idle or not preview.plan.reload or not preview.complete:
        return preview
    return msgspec.structs.replace(preview, notes=(*preview.notes, _DISAGREES))


def lines(preview: Preview, proxy: str, *, everything: bool) -> Iterator[str]:
    """Lines of the plan for `proxy`: the first steps of each action, or all with `everything`."""
    plan = preview.plan
    yield "plan, for a gateway that starts now or receives SIGHUP:"
    if plan.empty and preview.complete:
        yield f"  keep {proxy} as it is"
    for action in dict.fromkeys(step.action for step in plan.servers):
        yield from _steps(action, plan, everything)
    if plan.reload:
        yield f"  reload {proxy}, because"
        yield from (f"    {line}" for line in _first(plan.reload, everything))
    if not preview.complete:
        yield "  more may differ, because not everything could be read"
    yield from (f"  note: {note}" for note in _first(preview.notes, everything))


def _steps(action: str, plan: Plan, everything: bool) -> Iterator[str]:
    same = [step for step in plan.servers if step.action == action]
    yield f"  {action}" + (f" ({len(same)})" if len(same) > 1 else "")
    width = min(_WIDEST_SUBJECT, max(len(step.subject) for step in same))
    yield from (f"    {line}" for line in _first([_step(step, width) for step in same], everything))


def _step(step: Step, width: int) -> str:
    return f"{step.subject:<{width}}  {step.reason}"


def _first(texts: Sequence[str], everything: bool) -> Sequence[str]:
    return texts if everything else shortened(texts, _MOST_SHOWN, "(--all shows them)")
