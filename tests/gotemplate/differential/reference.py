"""Go's text/template as a process that answers one request after the other."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from drove_gateway.gotemplate.go.values import StringMap, decode

SOURCES = Path(__file__).parent


@dataclass(frozen=True)
class Answer:
    """What Go made of a template; `stage` is "" or where it failed: parse, exec, limit, panic."""

    output: str
    stage: str
    message: str


class Reference:
    """A running reference; `ask` is one question and its answer."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers

    def ask(
        self,
        template: str,
        data: object = None,
        *,
        name: str = "t",
        delims: tuple[str, str] = ("", ""),
        now: tuple[int, str, int] = (0, "", 0),
    ) -> Answer:
        """Execute a template; `now` is nanoseconds, zone name and offset in seconds."""
        request = {
            "template": template,
            "name": name,
            "left": delims[0],
            "right": delims[1],
            "data": to_wire(data),
            "now": now[0],
            "zone": now[1],
            "offset": now[2],
        }
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        answer = json.loads(self._answers.readline())
        return Answer(
            output=decode(base64.b64decode(answer["output"] or "")),
            stage=answer.get("stage", ""),
            message=decode(base64.b64decode(answer["message"] or "")),
        )


def toolchain() -> str | None:
    """The `go` command, if this machine has one."""
    return shutil.which("go")


def build(go: str, directory: Path) -> Path:
    """Compile the reference into a directory."""
    program = directory / "reference"
    subprocess.run([go, "build", "-o", program, "."], cwd=SOURCES, check=True, timeout=300)
    return program


@contextmanager
def running(program: Path) -> Iterator[Reference]:
    """A process of the reference, ended when the block is left."""
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Reference(process.stdin, process.stdout)
        process.stdin.close()


def to_wire(value: object) -> object:
    """A value as the reference reads it: JSON, with marks for what JSON has no words for."""
    if isinstance(value, Mapping) and not isinstance(value, StringMap):
        return {key: to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_wire(item) for item in value]
    return _marked(value)


def _marked(value: object) -> object:
    match value:
        case StringMap():
            return {"$": "strings", "v": value}
        case str():
            return _text(value)
        case float():
            return {"$": "float", "v": repr(value)}
        case complex():
            return {"$": "complex", "v": [repr(value.real), repr(value.imag)]}
        case msgspec.Struct():
            return {"$": type(value).__name__, "v": msgspec.to_builtins(value)}
        case _:
            return value


def _text(value: str) -> object:
    try:
        value.encode()
    except UnicodeEncodeError:
        raw = value.encode("utf-8", "surrogateescape")
        return {"$": "bytes", "v": base64.b64encode(raw).decode()}
    return value
