"""The part of a configuration that a vhost makes. Pure."""

from collections.abc import Iterator
from difflib import SequenceMatcher

import msgspec

from drove_gateway.model.vocabulary import App, Topology


def without_others(topology: Topology, app: App | None) -> Topology:
    """Return the topology with no app but this."""
    apps = {} if app is None else {app.vhost: app}
    return msgspec.structs.replace(topology, apps=apps)


def added_lines(without: str, with_vhost: str) -> Iterator[str]:
    """Return the lines that the second text has and the first has not, in their order.

    Separate places are separated by an empty line.
    """
    before, after = without.splitlines(), with_vhost.splitlines()
    changes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    places = [after[start:end] for kind, _, _, start, end in changes if kind != "equal"]
    for number, lines in enumerate(filter(any, places)):
        if number:
            yield ""
        yield from lines
