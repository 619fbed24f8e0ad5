"""When refused vhosts may be left out: never at the price of what the present file serves. Pure."""

import re
from collections.abc import Iterator

from drove_gateway.model.vocabulary import Topology


def names_lost(present: str, desired: Topology, remaining: Topology) -> tuple[str, ...]:
    """Return the vhosts of `desired` that `present` names and `remaining` does not have.

    `present` is the text of the file that the proxy runs with. A vhost that it names is assumed to
    be served: no template can serve a vhost without naming it.
    """
    missing = desired.apps.keys() - remaining.apps.keys()
    missing |= set(_leaders(desired)) - set(_leaders(remaining))
    return tuple(name for name in sorted(missing) if _is_named(name, present))


def may_leave_out(present: str, desired: Topology, remaining: Topology) -> bool:
    """Whether `remaining` may be installed for `desired` while nothing is known to be good.

    Then only `present` shows what is served. Where no vhost at all would remain, the template or
    the machine is at fault, and not every vhost.
    """
    nothing_remains = bool(desired.apps) and not remaining.apps
    return not nothing_remains and not names_lost(present, desired, remaining)


def _leaders(topology: Topology) -> Iterator[str]:
    for namespace in topology.namespaces.values():
        if namespace.leader_vhost and namespace.leader.endpoint:
            yield namespace.leader_vhost.lower()


def _is_named(name: str, text: str) -> bool:
    """Whether `text` has this name, and not only a longer name that contains it."""
    whole = rf"(?<![A-Za-z0-9.-]){re.escape(name)}(?![A-Za-z0-9-]|\.\w)"
    return re.search(whole, text, re.IGNORECASE) is not None
