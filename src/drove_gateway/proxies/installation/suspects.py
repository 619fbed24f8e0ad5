"""Which vhosts a refusal points to: by the names in the message, and by the line it names. Pure.

What a proxy prints is a hint and never a proof: whether a suspect is to blame shows the next check.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.model.wording import printable
from drove_gateway.proxies.installation.blame import Part

_WORD = re.compile(r"[\w.*:\[\]-]+")
_NUMBER = re.compile(r"\d+")
_ENDS_NAME = re.compile(r"[_.:\-\]]")
# Farther from the line that names its vhost no directive stands.
_MOST_LINES_BACK = 2_000
_MOST_MESSAGES = 500
_LONGEST = 400


class Refusal(msgspec.Struct, frozen=True):
    """Why a configuration is refused: the reason for people, what the proxy printed, the text, and
    the parts that fail by themselves where that is known."""

    reason: str
    output: str = ""
    text: str = ""
    config: str = ""
    alone: tuple[tuple[Part, str], ...] = ()


class Suspect(msgspec.Struct, frozen=True):
    """A part that a refusal points to, and the hosts and groups of it that the message names.

    `message` is for people; `clue` is the message without numbers: while it stays the same, nothing
    was repaired.
    """

    part: Part
    clue: str
    message: str
    hosts: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def suspects(refusal: Refusal, topology: Topology) -> tuple[Suspect, ...]:
    """Return the parts of `topology` that `refusal` points to, each once."""
    if refusal.alone:
        return tuple(Suspect(part, _clue(why), why) for part, why in refusal.alone)
    lines = refusal.text.splitlines()
    number = re.compile(rf"{re.escape(refusal.config)}:(\d+)")
    hosts = _parts_by_host(topology)
    found: dict[Part, Suspect] = {}
    for message in _messages(refusal):
        match = number.search(message) if refusal.config else None
        where = int(match[1]) if match and 0 < int(match[1]) <= len(lines) else 0
        for suspect in _of_message(message, where, lines, topology, hosts):
            found.setdefault(suspect.part, suspect)
    return tuple(found.values())


def clues(refusal: Refusal) -> frozenset[str]:
    """Return the messages of `refusal` without their numbers."""
    return frozenset(map(_clue, _messages(refusal)))


def _messages(refusal: Refusal) -> list[str]:
    return [line for line in refusal.output.splitlines() if line.strip()][:_MOST_MESSAGES]


def _clue(message: str) -> str:
    return _NUMBER.sub("", message)


def _of_message(
    message: str,
    where: int,
    lines: Sequence[str],
    topology: Topology,
    hosts: Mapping[str, Sequence[Part]],
) -> Iterator[Suspect]:
    clue, shown = _clue(message), printable(message.strip(), _LONGEST)
    words = list(_words(message))
    line = lines[where - 1] if where else ""
    named = [word for word in words if word in hosts]
    if named:
        for part in hosts[named[0]]:
            yield Suspect(part, clue, shown, hosts=frozenset(named[:1]))
        return
    vhost = _vhost(words, topology) or _vhost_above(lines, where, topology)
    if vhost:
        groups = topology.apps[vhost].groups.keys() - {vhost}
        in_line = {*words, *_WORD.findall(line), *_words(line)}
        suffixes = {word.removeprefix(vhost)[1:] for word in in_line if word.startswith(vhost)}
        yield Suspect(
            Part("vhost", vhost), clue, shown, groups=frozenset(groups & (in_line | suffixes))
        )


def _vhost_above(lines: Sequence[str], where: int, topology: Topology) -> str:
    """Return the vhost that the line names, or the last line before it that names any."""
    for number in range(where, max(0, where - _MOST_LINES_BACK), -1):
        vhost = _vhost(_words(lines[number - 1]), topology)
        if vhost:
            return vhost
    return ""


def _vhost(words: Iterator[str] | Sequence[str], topology: Topology) -> str:
    return max((word for word in words if word in topology.apps), key=len, default="")


def _words(text: str) -> Iterator[str]:
    """Yield the words of `text`, and what they begin with: `shop` of `shop_blue`."""
    for word in _WORD.findall(text.lower()):
        yield word.strip("[]")
        yield word.strip(".:-")
        for end in _ENDS_NAME.finditer(word):
            yield word[: end.start()].removeprefix("[")


def _parts_by_host(topology: Topology) -> Mapping[str, Sequence[Part]]:
    parts: dict[str, list[Part]] = {}
    for vhost, app in topology.apps.items():
        for host in _names(app):
            parts.setdefault(host, []).append(Part("vhost", vhost))
    for name, namespace in topology.namespaces.items():
        if namespace.leader.host:
            parts.setdefault(namespace.leader.host.lower(), []).append(Part("namespace", name))
    return parts


def _names(app: App) -> frozenset[str]:
    return frozenset(host.host.lower() for host in app.hosts)
