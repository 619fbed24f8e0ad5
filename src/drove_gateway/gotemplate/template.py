"""The template: parsed once, rendered often."""

from collections.abc import Callable, Mapping

from drove_gateway.gotemplate.defaults import default_functions
from drove_gateway.gotemplate.functions import BUILTINS
from drove_gateway.gotemplate.interpreter import interpret
from drove_gateway.gotemplate.limits import MAX_OUTPUT, MAX_STEPS, Budget
from drove_gateway.gotemplate.parser import parse
from drove_gateway.gotemplate.signatures import function


class Template:
    """A Go template, its named templates included.

    `funcs` are Python callables by name, beside Go's own functions and the gateway's; the same
    name overrides. Their type hints, where they have some, say which arguments they take; whatever
    they raise becomes a `TemplateExecError`. An empty delimiter is Go's default.

    `max_output` (in characters) and `max_steps` (see `limits`) stop a runaway template.

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
    ) -> None:
        self.name = name
        given = {**default_functions(), **(funcs or {})}
        self._functions = {**BUILTINS, **{name: function(call) for name, call in given.items()}}
        left, right = delims or ("", "")
        self._trees = parse(
            source, name=name, delims=(left or "{{", right or "}}"), functions=self._functions
        )
        self._max_output = max_output
        self._max_steps = max_steps

    def render(self, data: object) -> str:
        """Executes the template with `data` as dot. Raises `TemplateExecError`."""
        budget = Budget(self._max_steps, self._max_output)
        return interpret(self._trees, self.name, self._functions, data, budget)
