"""Read nixy.toml. The only module of the configuration that touches the file system."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from drove_gateway.config import environment, legacy
from drove_gateway.config.addresses import UnixSocket, socket_address
from drove_gateway.config.controllers import with_controllers
from drove_gateway.config.draft import Draft, Location, Notice, Problem, tables
from drove_gateway.config.letter_case import lowered
from drove_gateway.config.lines import lines
from drove_gateway.config.platforms import PLATFORM_KEYS
from drove_gateway.config.rules import Finding
from drove_gateway.config.sentences import assignment, plain_syntax_error
from drove_gateway.config.settings import Settings
from drove_gateway.config.tolerance import tolerant, with_defaults
from drove_gateway.config.validate import concluded, validate
from drove_gateway.model.errors import ConfigError


class Loaded(msgspec.Struct, frozen=True):
    """Usable settings, and notices for the operator.

    `waiting` are those about sockets that the proxy has not created yet.
    """

    settings: Settings
    warnings: tuple[Notice, ...]
    waiting: tuple[Notice, ...] = ()


def load_again(path: Path | None, environ: Mapping[str, str]) -> Loaded:
    """As `load`, for a process that must not wait: a pipe, which can be read only once, is refused.

    Raises ConfigError.
    """
    if path is not None and _may_never_end(path):
        raise ConfigError((f"{path}: cannot be read again: it is not a regular file",))
    return load(path, environ)


def load(path: Path | None, environ: Mapping[str, str], *, runs_here: bool = True) -> Loaded:
    """Return the settings from the file and the environment; without a path, from the environment.

    A command that only queries a gateway (`runs_here` is False) need not be able to read the files
    that keys name: they may be on another machine, or belong to another user.
    Raises ConfigError with a line for each problem, all at once, in the order of the file. Unknown
    keys cause only warnings, but are listed with the problems too, because a misspelt key often
    makes another key missing.
    """
    draft = Draft("environment", {}) if path is None else _read(path)
    draft = legacy.modernise(with_defaults(lowered(draft)))
    draft = with_controllers(tolerant(environment.override(draft, environ)))
    verdict = validate(draft)
    unreadable = _unreadable_files(draft) if runs_here else ()
    if problems := (*verdict.problems, *unreadable):
        raise ConfigError(_in_order_of_the_file(problems, verdict.unknown))
    notices = sorted((*verdict.notices, *verdict.unknown), key=lambda notice: notice.line)
    if not runs_here:
        return Loaded(verdict.settings, tuple(notices))
    absent = concluded(draft, (), verdict.settings, verdict.broken, _absent(verdict.settings))
    waiting = (Notice("warning", str(problem), problem.label.line) for problem in absent)
    return Loaded(verdict.settings, tuple(notices), tuple(waiting))


def _in_order_of_the_file(
    problems: Iterable[Problem], unknown: Iterable[Notice]
) -> tuple[str, ...]:
    """Return all texts sorted by line; those without a line come first."""
    texts = [(problem.label.line, str(problem)) for problem in problems]
    texts += [(notice.line, notice.text) for notice in unknown]
    return tuple(text for _, text in sorted(texts, key=lambda each: each[0]))


def _read(path: Path) -> Draft:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError((f"{path}: cannot be read: {error.strerror}",)) from error
    try:
        text = content.decode("utf-8-sig")
        return Draft(str(path), tomllib.loads(text), lines=lines(text))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError((f"{path}:{line}: is not UTF-8 text, as TOML requires",)) from None
    except RecursionError:
        raise ConfigError((f"{path}: is nested too deeply",)) from None
    except ValueError as error:
        raise ConfigError((_syntax(path, content, str(error)),)) from None


def _syntax(path: Path, content: bytes, message: str) -> str:
    """Return the parser's message with its place as FILE:LINE, which editors understand."""
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if not found:
        return f"{path}: is not valid TOML: {plain_syntax_error(message)}"
    line = found.group(1) or content.count(b"\n") + 1
    return f"{path}:{line}: is not valid TOML: {plain_syntax_error(message[: found.start()])}"


def _unreadable_files(draft: Draft) -> Iterator[Problem]:
    """Return a problem for each named file that cannot be read."""
    for location, name in _named_files(draft):
        if not isinstance(name, str) or not name:
            continue
        try:
            if _may_never_end(Path(name)):
                yield Problem(assignment(draft, location, name), "must be a regular file")
                continue
            Path(name).open("rb").close()
        except OSError as error:
            text = f"must be a readable file: {error.strerror}"
            yield Problem(assignment(draft, location, name), text)
        except ValueError:
            yield Problem(assignment(draft, location, name), "must be the path of a file")


def _may_never_end(path: Path) -> bool:
    """Whether the path names a pipe, a socket or a device: opening it may wait without end."""
    return path.exists() and not (path.is_file() or path.is_dir())


def _named_files(draft: Draft) -> Iterator[tuple[Location, object]]:
    keys = ["nginxplusapi_ca_file"]
    if draft.values.get("port_use_tls") is True:
        keys += ["port_tls_certfile", "port_tls_keyfile"]
    for key in keys:
        yield (key,), draft.values.get(key)
    for index, table in enumerate(tables(draft.values)):
        yield ("namespaces", index, "tls_ca_file"), table.get("tls_ca_file")


def _absent(settings: Settings) -> Iterator[Finding]:
    """Return the proxy's sockets that do not exist yet: it may start after the gateway."""
    for key in PLATFORM_KEYS[settings.proxy_platform].sockets:
        text = getattr(settings, key)
        address = socket_address(text) if text else None
        if isinstance(address, UnixSocket) and not _is_socket(address.path):
            yield Finding(key, "does not exist yet; the gateway waits until HAProxy creates it")


def _is_socket(path: str) -> bool:
    try:
        return Path(path).is_socket()
    except OSError:
        return False
