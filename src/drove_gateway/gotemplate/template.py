"""Templates: parsed once, rendered often."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from drove_gateway.gotemplate.compile.compiler import compile_template
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.errors import TemplateExecError
from drove_gateway.gotemplate.functions.builtins import BUILTINS
from drove_gateway.gotemplate.functions.machine import default_functions
from drove_gateway.gotemplate.functions.signatures import Function, function
from drove_gateway.gotemplate.go.types import Kind
from drove_gateway.gotemplate.go.values import decode, encode, type_of
from drove_gateway.gotemplate.run.compiled import Surprise
from drove_gateway.gotemplate.run.interpreter import interpret
from drove_gateway.gotemplate.run.limits import MAX_OUTPUT, MAX_STEPS, Budget
from drove_gateway.gotemplate.syntax.parser import parse

_Render: TypeAlias = Callable[[object, Budget], str]

_DEEP = "it nests too deeply for Python"
_MOST_SHOWN = 200


def available_functions(funcs: Mapping[str, Callable[..., object]]) -> Mapping[str, Function]:
    """Return Go's functions, the gateway's and these, as templates know them."""
    return {**_known_functions(), **{name: function(call) for name, call in funcs.items()}}


@cache
def _known_functions() -> Mapping[str, Function]:
    gateway = {name: function(call) for name, call in default_functions().items()}
    return {**BUILTINS, **gateway}


class Template:
    """A Go template, its named templates included.

    `funcs` are Python callables by name, beside Go's own functions and the gateway's; the same
    name overrides. Their type hints, where they have some, say which arguments they take; whatever
    they raise becomes a `TemplateExecError`. An empty delimiter is Go's default.

    `max_output` (in characters) and `max_steps` (see `limits`) stop a runaway template.

    A rendering is compiled Python code where that is possible, else the interpreter does it, which
    takes about a hundred times as long (65 to 235 times with the shipped templates).
    `interpreted_because` is why the interpreter did the last rendering, empty where it did not.
    Apart from that, renderings share nothing that changes.

    With `reuse`, what a pass through a `range` over a map wrote is written again in the next
    rendering, where all that it reads is the same: its element must be the same object. So the data
    of a rendering may not be changed afterwards.

    Raises `TemplateSyntaxError` if the source cannot be parsed.
    """

    def __init__(
        self,
        source: str,
        *,
        name: str = "t",
        delims: tuple[str | None, str | None] | None = None,
        funcs: Mapping[str, Callable[..., object]] | None = None,
        max_output: int = MAX_OUTPUT,
        max_steps: int = MAX_STEPS,
        reuse: bool = False,
    ) -> None:
        self.name = name
        self._functions = available_functions(funcs or {})
        left, right = delims or ("", "")
        self._trees = parse(
            source, name=name, delims=(left or "{{", right or "}}"), functions=self._functions
        )
        self._max_output = max_output
        self._max_steps = max_steps
        self._reuse = reuse
        self._compiled: dict[type, _Render | str] = {}
        self.interpreted_because = ""

    def render(self, data: object) -> str:
        """Execute the template with `data` as dot. Raises `TemplateExecError`."""
        text = self._render(data)
        return text if text.isascii() else decode(encode(text))

    def _render(self, data: object) -> str:
        compiled = self._compiled_for(data)
        if isinstance(compiled, str):
            return self._interpret(data, compiled)
        self.interpreted_because = ""
        try:
            return compiled(data, self._budget())
        except TemplateExecError:
            raise
        except Exception as error:  # noqa: BLE001 - the interpreter finds out what it means
            return self._interpret(data, f"the compiled code gave up: {_shown(error)}")

    def _interpret(self, data: object, reason: str) -> str:
        self.interpreted_because = reason
        return interpret(self._trees, self.name, self._functions, data, self._budget())

    def _budget(self) -> Budget:
        return Budget(self._max_steps, self._max_output)

    def _compiled_for(self, data: object) -> _Render | str:
        """The code for data of this type, made when it is first seen, or why there is none."""
        cls = type(data)
        if cls not in self._compiled:
            self._compiled[cls] = self._compile(cls, data)
        return self._compiled[cls]

    def _compile(self, cls: type, data: object) -> _Render | str:
        try:
            declared = type_of(data)
            known = declared if declared.kind is Kind.STRUCT and declared.cls is cls else None
            return compile_template(
                self._trees, self.name, self._functions, known, reuse=self._reuse
            )
        except NotCompilableError as error:
            return str(error)
        except RecursionError:
            return _DEEP
        except Exception as error:  # noqa: BLE001 - data may raise anything when looked at
            return _shown(error)


def _shown(error: Exception) -> str:
    """Return an error on a line, with the name of its class unless its text is the reason."""
    text = " ".join(str(error).split())[:_MOST_SHOWN]
    return text if isinstance(error, Surprise) and text else f"{type(error).__name__}: {text}"
