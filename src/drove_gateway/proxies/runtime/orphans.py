"""Vhosts whose servers only an earlier run of the gateway can have added.

With reloads disabled nothing removes the servers of a vhost that left while the gateway was not
running. Known to be the gateway's are the vhosts that a realm names one by one.
"""

import math
from collections.abc import Collection

from drove_gateway.model.vocabulary import Topology


class Orphans:
    """Finds vhosts of `owned` that have been missing for `patience` seconds.

    The patience is for a leader that is new and does not know all its instances yet.
    """

    def __init__(self, owned: Collection[str], patience: float) -> None:
        self._owned = frozenset(owned)
        self._patience = patience
        self._missing: dict[str, float] = {}

    def found(self, topology: Topology, kept: Collection[str], now: float) -> tuple[str, ...]:
        """The orphans at the time `now`; vhosts that this run has `kept` are none.

        While a namespace has not answered yet, what it has is unknown: then there are none.
        """
        if any(not namespace.leader.endpoint for namespace in topology.namespaces.values()):
            self._missing.clear()
            return ()
        reported = {name for name, since in self._missing.items() if since == math.inf}
        missing = (self._owned - set(kept) | reported) - topology.apps.keys()
        self._missing = {name: self._missing.get(name, now) for name in missing}
        found = sorted(
            name for name, since in self._missing.items() if now - since >= self._patience
        )
        # Each is returned once: from then on its servers are being removed.
        self._missing |= dict.fromkeys(found, math.inf)
        return tuple(found)
