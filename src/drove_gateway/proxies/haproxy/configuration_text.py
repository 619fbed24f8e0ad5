"""Read from the text of an HAProxy configuration which vhosts it serves, and by what. Pure.

A backend serves the vhosts that a frontend's `use_backend` sends to it by their name. A backend
that no such rule names is chosen by its own name, which is the vhost, or vhost, separator and
group.
"""

import re
import shlex
from collections.abc import Container, Iterator, Mapping, Sequence

from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.haproxy.names import Naming, vhost_of
from drove_gateway.proxies.haproxy.shared_part import SECTIONS
from drove_gateway.proxies.installation.served import Served, ServedHosts, host_at

_VHOST = re.compile(r"[A-Za-z0-9*_.-]*[A-Za-z0-9]")
_DNS_NAME = re.compile(r"[A-Za-z0-9*.-]+")
_HOST_FETCH = re.compile(r"(?:req\.)?hdr(?:_dom)?\(host[,)]|var\(\w+\.v?host\)", re.IGNORECASE)
_EXACT = frozenset({"str", "dom"})

_Line = Sequence[str]


def served_by_file(text: str, naming: Naming, *, grouped: bool) -> Served:
    """Return the hosts of each vhost that `text` serves.

    `grouped` says that names of backends may end in a group. Sections that are not understood
    serve nothing.
    """
    read = tuple(sections(text))
    backends = {
        words[1]: tuple(_hosts(lines))
        for words, lines in read
        if words[0] in {"backend", "listen"} and len(words) > 1
    }
    vhosts = _vhosts_by_rule(read)
    served = ServedHosts()
    for name, hosts in backends.items():
        if name in vhosts:
            for vhost in vhosts[name]:
                served.add(vhost, vhost, hosts)
        elif _VHOST.fullmatch(name):
            served.add(*vhost_and_group(name, naming, backends, grouped=grouped), hosts)
    return served.served


def sections(text: str) -> Iterator[tuple[_Line, list[_Line]]]:
    """Yield each section: the words of its first line, and those of its other lines."""
    section: tuple[_Line, list[_Line]] | None = None
    for line in text.splitlines():
        words = _words(line)
        if not words:
            continue
        if words[0] in SECTIONS:
            if section:
                yield section
            section = (words, [])
        elif section:
            section[1].append(words)
    if section:
        yield section


def _words(line: str) -> _Line:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def _hosts(lines: Sequence[_Line]) -> Iterator[Host]:
    for line in lines:
        if line[0] != "server" or len(line) < 3 or "disabled" in line[3:]:
            continue
        address = line[2].partition("@")[2] if "@" in line[2] else line[2]
        host = host_at(address, https="ssl" in line[3:])
        if host:
            yield host


def _vhosts_by_rule(sections: Sequence[tuple[_Line, list[_Line]]]) -> Mapping[str, list[str]]:
    """Return the vhosts that rules like `use_backend web if { hdr(host) -i web.example }` name."""
    vhosts: dict[str, list[str]] = {}
    for _, lines in sections:
        named: dict[str, list[str]] = {}
        for line in lines:
            if line[0] == "acl" and len(line) > 3:
                named.setdefault(line[1], []).extend(_patterns(line[2:]))
            elif line[0] == "use_backend" and len(line) > 3 and line[2] == "if":
                vhosts.setdefault(line[1], []).extend(_condition(line[3:], named))
    return {backend: names for backend, names in vhosts.items() if names}


def _condition(words: _Line, named: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the vhosts of a condition's named and anonymous acls."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "{":
            end = rest.index("}") if "}" in rest else len(rest)
            yield from _patterns(rest[:end])
            rest = rest[end + 1 :]
        else:
            yield from named.get(word, ())


def _patterns(words: _Line) -> Iterator[str]:
    """Yield the host names that an acl compares the request's host with, as whole words."""
    if not words or not _HOST_FETCH.match(words[0]):
        return
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        if rest.pop(0) == "-m" and rest and rest.pop(0) not in _EXACT:
            return
    yield from (word for word in rest if _VHOST.fullmatch(word.partition(":")[0]))


def vhost_and_group(
    name: str, naming: Naming, backends: Container[str], *, grouped: bool
) -> tuple[str, str]:
    """Return the vhost and the group that a backend serves, by its name."""
    part, group = split_name(name, naming, backends) if grouped else (name, name)
    vhost = vhost_of(part)
    return vhost, vhost if group == part else group


def split_name(name: str, naming: Naming, backends: Container[str]) -> tuple[str, str]:
    """Return the vhost and the group that a backend's name is made of.

    A vhost that has a default group, VHOST_VHOST, is known; otherwise the vhost ends at the first
    separator where what comes before is a DNS name.
    """
    separator = naming.backend_separator
    ends = [match.start() for match in re.finditer(re.escape(separator), name)]
    splits = [(name[:end], name[end + len(separator) :]) for end in ends]
    splits = [(vhost, group) for vhost, group in splits if vhost and group]
    for vhost, group in splits:
        if vhost == group or f"{vhost}{separator}{vhost}" in backends:
            return vhost, group
    for vhost, group in splits:
        if _DNS_NAME.fullmatch(vhost) and "." in vhost.lstrip("."):
            return vhost, group
    return splits[0] if splits else (name, name)
