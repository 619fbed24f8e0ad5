"""The control API: methods over HTTP, with JSON in and out.

`POST /move-leadership` calls the method `move_leadership` with the body's keys as its arguments:
the methods' signatures are the one place where commands are declared.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias, get_type_hints

import msgspec
from aiohttp import web

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.listener import Listener

Method: TypeAlias = Callable[..., Any]


class Command:
    """A method that can be called with a JSON object.

    A method whose only argument is a Struct takes that Struct's fields.
    """

    def __init__(self, method: Method) -> None:
        self.name = method.__name__.replace("_", "-")
        self._method = method
        hints = get_type_hints(method)
        parameters = list(inspect.signature(method).parameters.values())
        only: Any = hints[parameters[0].name] if len(parameters) == 1 else None
        self._whole = isinstance(only, type) and issubclass(only, msgspec.Struct)
        struct = only if self._whole else _struct(self.name, parameters, hints)
        self._arguments: type[msgspec.Struct] = struct

    @property
    def usage(self) -> str:
        """The command and its arguments, in a line."""
        fields = msgspec.structs.fields(self._arguments)
        return " ".join([f"POST /{self.name}", *(_shown(field) for field in fields)])

    async def __call__(self, body: bytes) -> Any:
        """Call the method. Raises MsgspecError when the body is not what it takes."""
        called = msgspec.json.decode(body or b"{}", type=self._arguments)
        if self._whole:
            result = self._method(called)
        else:
            result = self._method(**msgspec.structs.asdict(called))
        return await result if isinstance(result, Awaitable) else result


class Control:
    """Serves commands, and `state` at `/state`."""

    def __init__(self, methods: Sequence[Method], state: Callable[[], Mapping[str, Any]]) -> None:
        self.url = ""
        self._state = state
        self._commands = {command.name: command for command in map(Command, methods)}
        self._listener = Listener(self._handle, keep_alive=30.0)

    @property
    def usage(self) -> str:
        """Every request that is served, a line each."""
        lines = ["GET /state", *(command.usage for command in self._commands.values())]
        return "\n".join(lines) + "\n"

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 is any free port."""
        bound = await self._listener.open(host, port)
        self.url = f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Stop listening."""
        await self._listener.cut()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        what = request.path.strip("/")
        if request.method == "GET" and what == "state":
            return _json(self._state())
        if request.method == "GET" and not what:
            return web.Response(text=self.usage)
        if request.method == "POST" and what in self._commands:
            return await self._do(self._commands[what], await request.read())
        return _problem(404, f"no {request.method} /{what}; there are:\n{self.usage}")

    async def _do(self, command: Command, body: bytes) -> web.Response:
        try:
            result = await command(body)
        except msgspec.MsgspecError as error:
            return _problem(400, f"{error}\n{command.usage}")
        except SimulatorError as error:
            return _problem(409, str(error))
        plain = msgspec.to_builtins(result)
        return _json(plain if isinstance(plain, dict) else {"result": plain})


def _struct(
    name: str, parameters: Sequence[inspect.Parameter], hints: Mapping[str, Any]
) -> type[msgspec.Struct]:
    fields: list[Any] = [
        (each.name, hints[each.name])
        if each.default is inspect.Parameter.empty
        else (each.name, hints[each.name], each.default)
        for each in parameters
    ]
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _shown(field: msgspec.structs.FieldInfo) -> str:
    return field.name if field.required else f"[{field.name}={json.dumps(field.default)}]"


def _problem(status: int, message: str) -> web.Response:
    return _json({"error": message}, status)


def _json(document: Mapping[str, Any], status: int = 200) -> web.Response:
    """Return the document with a line break, for readers who use curl."""
    text = json.dumps(document) + "\n"
    return web.Response(text=text, status=status, content_type="application/json")
