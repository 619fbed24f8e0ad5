"""Split a configuration into backends that HAProxy can make at runtime, and the shared part. Pure.

HAProxy 3.4 adds a backend at runtime from a named defaults section, and servers to it. So a
backend section can be made at runtime where it is `backend NAME from DEFAULTS` and has nothing but
`server` lines that `add server` can express. Everything else is the shared part: where that
differs, or where something is not understood, the file must be loaded.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import msgspec

from drove_gateway.config.declared_secrets import without_declared_secrets

# The first words that begin a section (HAProxy's configuration manual, 3.4).
SECTIONS = frozenset(
    {
        *("global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "userlist"),
        *("mailers", "mailer", "program", "ring", "cache", "http-errors", "log-forward"),
        *("fcgi-app", "crt-store", "traces", "log-profile", "acme", "healthcheck"),
    }
)
# A word that means the same in the file and on the command line, where nothing is quoted.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@%+,()\[\]*=-]+")
# The options that `add server` takes, and how many arguments each has.
_OPTIONS: Mapping[str, int] = {
    **dict.fromkeys(("backup", "check", "check-ssl", "send-proxy", "send-proxy-v2", "ssl"), 0),
    **dict.fromkeys(
        ("alpn", "ca-file", "check-sni", "cookie", "crt", "downinter", "error-limit"), 1
    ),
    **dict.fromkeys(("fall", "fastinter", "inter", "maxconn", "minconn", "observe", "on-error"), 1),
    **dict.fromkeys(
        ("on-marked-down", "on-marked-up", "pool-max-conn", "port", "proto", "rise"), 1
    ),
    **dict.fromkeys(("slowstart", "sni", "verify", "weight"), 1),
}
# Dynamic servers do not inherit `default-server`; these parameters mean nothing to them.
_HARMLESS_DEFAULTS = frozenset({"init-addr", "resolvers", "resolve-prefer"})
_MOST_SHOWN = 120


class ServerLine(msgspec.Struct, frozen=True):
    """A `server` line: its options are words that `add server` takes as they are."""

    name: str
    address: str
    options: str = ""


class RuntimeBackend(msgspec.Struct, frozen=True):
    """A backend that the runtime API can make: `add backend NAME from DEFAULTS`, then servers."""

    name: str
    defaults: str
    servers: tuple[ServerLine, ...] = ()


class Configuration(msgspec.Struct, frozen=True):
    """A configuration: the backends that can be made at runtime by name, and the shared lines.

    A shared line comes with the first line of its section, for messages. `names` are those of all
    backends, also of those in the shared part. `foreign` has the servers of backends that are not
    named by the gateway, by backend: only the text knows them. `options` are those of the servers
    that are named by the gateway.
    """

    backends: Mapping[str, RuntimeBackend]
    shared: tuple[tuple[str, str], ...]
    names: frozenset[str] = frozenset()
    foreign: Mapping[str, tuple[ServerLine, ...]] = {}
    options: frozenset[str] = frozenset()


class Section(msgspec.Struct, frozen=True):
    """A section of a text: its first line, the others, and where it begins in the text.

    `backend` is what the runtime API can make of it, provided that its defaults section allows
    that. `foreign` are its servers that the gateway did not name, `options` those of the others.
    `closed` says that conditional blocks (`.if`) that begin in the section end there.
    """

    start: int
    header: str
    lines: tuple[str, ...]
    backend: RuntimeBackend | None = None
    foreign: tuple[ServerLine, ...] = ()
    options: frozenset[str] = frozenset()
    closed: bool = True


def read_configuration(
    text: str, is_ours: Callable[[str], bool] = lambda _: False
) -> Configuration:
    """Split `text` into what the runtime API can make and what it cannot.

    Servers whose names `is_ours` knows come and go at runtime wherever they are: they are not
    shared lines.
    """
    return configuration(read_sections(text, is_ours), is_ours)


def configuration(sections: Sequence[Section], is_ours: Callable[[str], bool]) -> Configuration:
    """Return the configuration that consists of `sections`."""
    backends: dict[str, RuntimeBackend] = {}
    foreign: dict[str, tuple[ServerLine, ...]] = {}
    options: set[str] = set()
    shared: Sequence[Section] = sections
    # Which lines of a conditional block count is known to HAProxy alone.
    if all(section.closed for section in sections):
        shared = left = []
        inheritable = _inheritable_defaults(sections)
        for section in sections:
            backend = section.backend
            if backend is None or backend.defaults not in inheritable or backend.name in backends:
                left.append(section)
                continue
            backends[backend.name] = backend
            options |= section.options
            if section.foreign:
                foreign[backend.name] = section.foreign
    words = (section.header.split() for section in shared)
    names = {each[1] for each in words if each[:1] in (["backend"], ["listen"]) and each[1:]}
    return Configuration(
        backends,
        _shared(shared, is_ours),
        frozenset(names | backends.keys()),
        foreign,
        frozenset(options),
    )


def read_sections(text: str, is_ours: Callable[[str], bool], offset: int = 0) -> list[Section]:
    """Return the sections of `text` without comments and blank lines, words parted by single
    blanks. `offset` is where `text` begins in the whole.

    Lines before the first section belong to a section without a header.
    """
    sections: list[Section] = []
    start, header, lines = offset, "", list[str]()
    for line in text.splitlines(keepends=True):
        significant = _significant(line)
        if significant.split(" ", 1)[0] in SECTIONS:
            sections.append(_section(start, header, lines, is_ours))
            start, header, lines = offset, significant, []
        elif significant:
            lines.append(significant)
        offset += len(line)
    sections.append(_section(start, header, lines, is_ours))
    return sections


def _section(
    start: int, header: str, lines: Sequence[str], is_ours: Callable[[str], bool]
) -> Section:
    backend = _runtime_backend(header, lines)
    servers = () if backend is None else backend.servers
    return Section(
        start,
        header,
        tuple(lines),
        backend,
        foreign=tuple(server for server in servers if not is_ours(server.name)),
        options=frozenset(server.options for server in servers if is_ours(server.name)),
        closed=_keeps_its_conditions(lines),
    )


def _keeps_its_conditions(lines: Sequence[str]) -> bool:
    depth = 0
    for line in lines:
        if line.startswith("."):
            word = line.split(" ", 1)[0]
            depth += {".if": 1, ".endif": -1}.get(word, 0)
            if depth < 0:
                return False
    return depth == 0


def _significant(line: str) -> str:
    """The line without its indentation; lines with quotes keep their inner blanks and `#`."""
    stripped = line.strip()
    if stripped.startswith("#"):
        return ""
    if any(quote in stripped for quote in "\"'\\"):
        return stripped
    return " ".join(stripped.partition("#")[0].split())


def _shared(
    sections: Sequence[Section], is_ours: Callable[[str], bool]
) -> tuple[tuple[str, str], ...]:
    return tuple(
        (section.header, line)
        for section in sections
        for line in (section.header, *section.lines)
        if not (line.startswith("server ") and is_ours(line.split(" ", 2)[1]))
    )


def _inheritable_defaults(sections: Sequence[Section]) -> frozenset[str]:
    """The named defaults sections whose servers are the same whether the file or the API makes
    them: neither they nor those they come from give servers an option that counts."""
    plain: set[str] = set()
    for section in sections:
        if not section.header.startswith("defaults "):
            continue
        words = section.header.split()
        if len(words) not in {2, 4}:
            continue
        own = not any(_gives_options(line.split()) for line in section.lines)
        inherited = len(words) == 2 or (words[2] == "from" and words[3] in plain)
        if own and inherited:
            plain.add(words[1])
        else:
            plain.discard(words[1])
    return frozenset(plain)


def _gives_options(words: Sequence[str]) -> bool:
    if words[:1] != ["default-server"]:
        return False
    return any(word not in _HARMLESS_DEFAULTS for word in words[1::2])


def _runtime_backend(header: str, lines: Sequence[str]) -> RuntimeBackend | None:
    words = header.split()
    if len(words) != 4 or words[0] != "backend" or words[2] != "from":
        return None
    _, name, _, defaults = words
    if not _PLAIN.fullmatch(name):
        return None
    servers = tuple(map(_server_line, lines))
    known = tuple(server for server in servers if server is not None)
    if len(known) < len(servers) or len({server.name for server in known}) < len(known):
        return None
    return RuntimeBackend(name, defaults, known)


# Of two texts in a row, most servers are the same.
@lru_cache(maxsize=1 << 16)
def _server_line(line: str) -> ServerLine | None:
    """A line as `add server` takes it, or None."""
    words = tuple(line.split())
    if words[:1] != ("server",) or len(words) < 3 or not all(map(_PLAIN.fullmatch, words)):
        return None
    rest = list(words[3:])
    while rest:
        arguments = _OPTIONS.get(rest[0])
        if arguments is None or len(rest) <= arguments:
            return None
        del rest[: arguments + 1]
    return ServerLine(words[1], words[2], " ".join(words[3:]))


def first_difference(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> str:
    """Name the first line that only one of the two has, with its section; empty if all agree."""
    for old, new in zip(before, after, strict=False):
        if old != new:
            return f"{_named(old)} is gone" if new in frozenset(before) else _named(new)
    if len(after) > len(before):
        return _named(after[len(before)])
    return f"{_named(before[len(after)])} is gone" if len(before) > len(after) else ""


def _named(line: tuple[str, str]) -> str:
    header, text = line[0], without_declared_secrets(line[1])
    shown = text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"
    return f"`{shown}`" if text == header or not header else f"`{shown}` in `{header}`"
