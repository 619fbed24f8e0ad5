"""The pure modules of the balancer in LuaJIT, without NGINX."""

import json
from collections.abc import Mapping
from typing import Any, cast

import lupa.luajit21

from drove_gateway.proxies.nginx.lua.source import module_source

_PURE = ("json", "refusal", "address", "parameters", "upstream", "record", "choice", "socket")
# Runs `call`, a function of Lua; a refusal becomes {refused = code}.
_GLUE = """
local json, refusal = require("drove_gateway.json"), require("drove_gateway.refusal")
return function(source, argument)
    local value, problem = json.decode(argument)
    if problem then error(problem, 0) end
    local call = assert(loadstring(source))()
    local ok, result = pcall(call, value)
    if ok then return json.encode({ result = result == nil and json.null or result }) end
    if refusal.is(result) then
        return json.encode({ refused = result.code, status = result.status, text = result.text })
    end
    error(result, 0)
end
"""


class RefusedError(Exception):
    """The code of a refusal that Lua raised."""

    def __init__(self, code: str, status: int, text: str) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.text = text


class Modules:
    """Calls functions of the modules; arguments and results travel as JSON."""

    def __init__(self) -> None:
        self._lua = lupa.luajit21.LuaRuntime(encoding="latin-1")
        preload = self._lua.eval("package.preload")
        for name in _PURE:
            preload[f"drove_gateway.{name}"] = self._lua.eval(
                "function(text, name) return assert(loadstring(text, name)) end"
            )(module_source(name), name)
        self._call = self._lua.execute(_GLUE)

    def run(self, source: str, argument: object = None) -> Any:
        """Run `return function(argument) … end`. Raises RefusedError."""
        response = self._call(source, json.dumps(argument))
        decoded = cast("Mapping[str, Any]", json.loads(response.encode("latin-1")))
        if "refused" in decoded:
            raise RefusedError(decoded["refused"], decoded["status"], decoded["text"])
        return decoded["result"]

    def decode(self, text: bytes) -> tuple[Any, str]:
        """What the JSON decoder makes of bytes, and its complaint, by way of its encoder."""
        value, problem = self._lua.execute(
            """
            local json = require("drove_gateway.json")
            return function(text)
                local value, problem = json.decode(text)
                return problem and "" or json.encode(value), problem or ""
            end
            """
        )(text.decode("latin-1"))
        return (json.loads(value.encode("latin-1")) if not problem else None), problem
