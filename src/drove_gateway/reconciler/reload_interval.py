"""How far apart reloads are, given the workers that earlier reloads left behind. Pure.

Each reload leaves the old workers alive until their last connection ends, which takes minutes with
WebSockets. Without a pace, an app that flaps would pile up hundreds of them.
"""

from drove_gateway.model.workers import ReloadPressure, Workers

MOST_OLD_WORKERS = 16
"""With this many old workers, reloads are as far apart as they ever are."""

GENERATIONS = 4
"""A proxy with many workers leaves as many with each reload: this many times is allowed."""

MEMORY_SHARE = 1 / 8
"""With this share of the machine's memory in old workers, the same."""

_NOTICEABLE_LOAD = 0.5


def reload_pressure(workers: Workers, shortest: float, longest: float) -> ReloadPressure:
    """Return how far apart reloads are: `shortest` seconds without old workers, at most `longest`.

    The interval grows with the square of the load, so that the first few reloads hardly wait. As a
    template limits the life of old workers, their number settles: with `longest` = 30 s and a life
    of ten minutes, at twenty generations, however often the cluster changes.
    """
    allowed = max(MOST_OLD_WORKERS, GENERATIONS * workers.current)
    load = workers.old / allowed
    if workers.machine_memory:
        load = max(load, workers.old_memory / (workers.machine_memory * MEMORY_SHARE))
    more = max(0.0, longest - shortest)
    interval = shortest + more * min(1.0, load) ** 2
    return ReloadPressure(workers, interval, delays=more > 0 and load >= _NOTICEABLE_LOAD)
