"""Build the reference of template variables and functions from the data's types and the functions.

The results of the examples come from rendering them.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC

import msgspec

from drove_gateway.gotemplate.functions.builtins import BUILTINS
from drove_gateway.gotemplate.functions.signatures import VALUE, Function, function
from drove_gateway.gotemplate.go.structs import field_types
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.gotemplate.go.types import ANY, GoType
from tools.reference.generated_files import reference_command
from tools.reference.markdown import table
from tools.reference.template_sample import DATA, functions, rendered
from tools.reference.template_texts import (
    GATEWAY_FUNCTIONS,
    GO_FUNCTIONS,
    LUA_FUNCTIONS,
    STRUCTS,
    TIME_METHODS,
    FunctionDoc,
    StructDoc,
)

_OPENING = """\
# Template reference

<!-- Generated from tools/reference/template_texts.py, the types of the data and the functions by
     `python -m tools.reference.templates --write`; edit those, not this page. -->

This page lists every variable and function of a template. [Templates](../templates.md) is the
guide: the language, errors, limits, and how a reload is proven.

The text between `{{` and `}}` is an action; `left_delimiter` and `right_delimiter` in `nixy.toml`
change these delimiters. Names are case-sensitive, and an unknown name is an error. `→` shows the
result of an example with [the data below](#the-data-of-the-examples).

## Variables
"""

_FUNCTIONS = """\
## Functions

Arguments follow the name, separated by spaces; `a | f b` is the same as `f b a`. `any` accepts
every type; `…` means that the last argument may be repeated.

### Functions of Go's template language
"""

_GATEWAY = """\
### Functions of the gateway
"""

_LUA = """\
### Functions for NGINX with Lua

They print parts of the configuration; [NGINX](../nginx.md) has a complete example.
"""

_TIME = """\
### Methods of a time

`datetime` is a `time.Time` with these methods.
"""

_DATA = """\
## The data of the examples

The proxy is HAProxy 3.2.4, `DC` in the environment is `blr1`, and the clock does not move.

```json
{}
```
"""

_ANY_TIME = GoTime(0, UTC)
_GO_NAMES = {VALUE.name: "any", ANY.name: "any"}


def page() -> str:
    """The whole page, in Markdown."""
    gateway = {name: function(call) for name, call in functions().items()}
    data = msgspec.json.format(msgspec.json.encode(DATA), indent=2).decode()
    parts = [_OPENING, *map(_section, STRUCTS)]
    parts += [
        _FUNCTIONS,
        _calls(GO_FUNCTIONS, BUILTINS),
        _GATEWAY,
        _calls(GATEWAY_FUNCTIONS, gateway),
    ]
    parts += [_LUA, _uses(LUA_FUNCTIONS)]
    parts += [_TIME, _calls(TIME_METHODS, times()), _DATA.format(data)]
    return "\n".join(parts)


def times() -> Mapping[str, Function]:
    """The methods of a time, as templates call them."""
    methods = (name for name in vars(GoTime) if name[0].isupper())
    return {name: function(getattr(_ANY_TIME, name)) for name in methods}


def _section(struct: type[msgspec.Struct]) -> str:
    doc = STRUCTS[struct]
    heading = f"### {doc.title}\n\n{doc.opening}\n\n"
    return heading + table(("Variable", "Type", "Meaning", "Example"), _variables(struct, doc))


def _variables(struct: type[msgspec.Struct], doc: StructDoc) -> Iterable[tuple[str, ...]]:
    types = field_types(struct)
    for name, variable in doc.variables.items():
        example = variable.example or f"{{{{.{name}}}}}"
        result = rendered(doc.around.format(example))
        yield (
            f"`.{name}`",
            f"`{_named(types[name][1])}`",
            variable.meaning,
            _shown(example, result),
        )


def _calls(documented: Mapping[str, FunctionDoc], known: Mapping[str, Function]) -> str:
    def rows() -> Iterable[tuple[str, ...]]:
        for name, doc in documented.items():
            example = _shown(doc.example, rendered(doc.example)) if doc.example else ""
            yield f"`{doc.usage}`", f"`{signature(known[name])}`", doc.meaning, example

    return table(("Call", "Types", "Meaning", "Example"), rows())


def _uses(documented: Mapping[str, FunctionDoc]) -> str:
    rows = (
        (f"`{doc.usage}`", doc.meaning, f"`{doc.example}` → a part of the configuration")
        for doc in documented.values()
    )
    return table(("Call", "Meaning", "Example"), rows)


def signature(called: Function) -> str:
    """The types of the arguments and of the result: `string, any… → string`."""
    parameters = [_named(param) for param in called.params]
    if called.variadic is not None:
        parameters.append(f"{_named(called.variadic)}…")
    return " ".join([", ".join(parameters), "→", _named(called.result)]).strip()


def _named(found: GoType) -> str:
    return _GO_NAMES.get(found.name, found.name)


def _shown(example: str, result: str) -> str:
    return f"`{example}` → `{result.strip()}`" if result.strip() else f"`{example}` → nothing"


def files() -> Mapping[str, str]:
    """The generated file, by name."""
    return {"templates.md": page()}


main = reference_command(files)


if __name__ == "__main__":
    main()
