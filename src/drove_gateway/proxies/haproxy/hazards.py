"""Checks of an HAProxy configuration: what loses requests at a reload. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from drove_gateway.model.finding import FileExamination, Finding
from drove_gateway.proxies.haproxy.configuration_text import sections
from drove_gateway.proxies.installation.version import Version

_OPTION = ["option", "idle-close-on-response"]
# The words that name a file of certificates, and those that say where relative paths begin.
_BASES = {"crt": "crt-base", "ca-file": "ca-base", "ca-verify-file": "ca-base"}

_Lines = Sequence[Sequence[str]]


def examine(text: str, config: Path, version: Version | None) -> FileExamination:
    """Return what an HAProxy with the configuration `text` loses requests or memory by.

    `config` is its path, which relative paths refer to.
    """
    del version
    return FileExamination(_findings(text), tuple(_certificates(text, config)))


def _findings(text: str) -> tuple[Finding, ...]:
    limits = [
        line
        for words, lines in sections(text)
        if words[0] == "global"
        for line in lines
        if line[0] == "hard-stop-after"
    ]
    return (
        Finding(
            "idle_close_on_response",
            "error",
            "Requests on keep-alive connections fail at each reload: these sections of HAProxy's "
            "configuration close such connections at once.",
            tuple(_closing_at_once(text)),
            "Add `option idle-close-on-response` to the `defaults` section of the template.",
        ),
        Finding(
            "hard_stop_after",
            "warning",
            "Memory grows with each reload: without a limit, HAProxy's old processes stay as long "
            "as any of their connections, such as a WebSocket.",
            () if limits else ("global",),
            "Add `hard-stop-after 10m` to the `global` section of the template.",
        ),
    )


def _certificates(text: str, config: Path) -> Iterator[Path]:
    bases = dict.fromkeys(_BASES.values(), config.parent)
    for words, lines in sections(text):
        for line in lines:
            if words[0] == "global" and line[0] in bases and len(line) > 1:
                bases[line[0]] = config.parent / line[1]
            for word, value in pairwise(line):
                if word in _BASES and not value.startswith("@"):
                    yield bases[_BASES[word]] / value


def _closing_at_once(text: str) -> Iterator[str]:
    """Yield the frontends without the option; they inherit it from their `defaults`."""
    inherited: dict[str, Mapping[str, bool]] = {}
    latest = ""
    for words, lines in sections(text):
        kind, name = words[0], words[1] if len(words) > 1 else ""
        if kind not in ("defaults", "frontend", "listen"):
            continue
        unnamed = "" if kind == "defaults" else latest
        parent = words[words.index("from") + 1] if "from" in words[:-1] else unnamed
        state = {**inherited.get(parent, {}), **_state(lines)}
        if kind == "defaults":
            latest = name
            inherited[name] = state
        elif not state.get("closes") and not state.get("tcp"):
            yield f"{kind} {name}"


def _state(lines: _Lines) -> Mapping[str, bool]:
    """What lines of a section set: the option, and whether the section is TCP."""
    state = {}
    for line in lines:
        if list(line[:2]) == _OPTION:
            state["closes"] = True
        elif list(line[:3]) == ["no", *_OPTION]:
            state["closes"] = False
        elif line[0] == "mode":
            state["tcp"] = list(line[1:2]) == ["tcp"]
    return state
