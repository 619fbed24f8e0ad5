"""The steps that a plan has for servers: what is to be changed, or read first."""

from collections.abc import Callable, Sequence

from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.servers import DesiredBackend

READ = "read servers"


def server_steps(
    engine: Engine,
    desired: Topology,
    doubts: Sequence[str],
    waits: Callable[[DesiredBackend], bool],
) -> tuple[Step, ...]:
    """Return the steps to `desired` by what was last read; with `doubts`, everything is read."""
    if engine.adapter.abilities.reads_everything:
        if doubts or not engine.trusted:
            return (Step(READ, engine.adapter.name, "; ".join(doubts) or "not known yet"),)
        return tuple(change.step() for change in engine.pending(desired))
    due = {
        backend.name: engine.desired.reason(backend.vhost, desired)
        for backend in engine.desired.due(desired)
        if not waits(backend)
    }
    if doubts:
        due = dict.fromkeys(engine.desired.backends(), doubts[0]) | due
    return tuple(Step(READ, backend, reason) for backend, reason in due.items())
