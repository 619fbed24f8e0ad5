"""The reference of what templates see and call, made from the data's types and the functions.

`python -m tools.reference.templates --write` writes the page, `--check` exits with 1 where
the file differs from what would be written. What an example gives is what the engine makes of it.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC
from pathlib import Path

import msgspec

from drove_gateway.gotemplate.functions.builtins import BUILTINS
from drove_gateway.gotemplate.functions.signatures import VALUE, Function, function
from drove_gateway.gotemplate.go.structs import field_types
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.gotemplate.go.types import ANY, GoType
from drove_gateway.templates.catalog import (
    GATEWAY,
    GO,
    TIME,
    VARIABLES,
    Call,
    Place,
)
from drove_gateway.templates.sample import DATA, functions, outcome
from tools.reference.pages import page_command

_OPENING = """\
# Template reference

<!-- Made from src/drove_gateway/templates/catalog.py, the types of the data and the functions by
     `python -m tools.reference.templates --write`; edit those, not this page. -->

Every variable and function of a template. [Templates](../templates.md) is the guide: the language,
errors, limits, and how a reload is proven.

What stands between `{{` and `}}` is an action; `left_delimiter` and `right_delimiter` in
`nixy.toml` replace these two. Names are case-sensitive, and one that does not exist is an error.
`→` shows what an example gives with [the data below](#the-data-of-the-examples).

## Variables
"""

_FUNCTIONS = """\
## Functions

Arguments follow the name, divided by blanks; `a | f b` is `f b a`. `any` takes every type; `…`
stands for any number of the last argument.

### Go's own
"""

_GATEWAY = """\
### The gateway's
"""

_TIME = """\
### Of a time

`datetime` is a `time.Time`, with these methods.
"""

_DATA = """\
## The data of the examples

The proxy is HAProxy 3.2.4, `DC` in the environment is `blr1`, and the clock stands.

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
    parts = [_OPENING, *map(_section, VARIABLES)]
    parts += [_FUNCTIONS, _calls(GO, BUILTINS), _GATEWAY, _calls(GATEWAY, gateway)]
    parts += [_TIME, _calls(TIME, times()), _DATA.format(data)]
    return "\n".join(parts)


def times() -> Mapping[str, Function]:
    """The methods of a time, as templates call them."""
    methods = (name for name in vars(GoTime) if name[0].isupper())
    return {name: function(getattr(_ANY_TIME, name)) for name in methods}


def _section(struct: type[msgspec.Struct]) -> str:
    place = VARIABLES[struct]
    head = f"### {place.title}\n\n{place.opening}\n\n"
    return head + _table(("Variable", "Type", "Meaning", "Example"), _variables(struct, place))


def _variables(struct: type[msgspec.Struct], place: Place) -> Iterable[tuple[str, ...]]:
    types = field_types(struct)
    for name, one in place.variables.items():
        example = one.example or f"{{{{.{name}}}}}"
        gives = outcome(place.around.format(example))
        yield f"`.{name}`", f"`{_named(types[name][1])}`", one.meaning, _shown(example, gives)


def _calls(documented: Mapping[str, Call], known: Mapping[str, Function]) -> str:
    def rows() -> Iterable[tuple[str, ...]]:
        for name, one in documented.items():
            example = _shown(one.example, outcome(one.example)) if one.example else ""
            yield f"`{one.usage}`", f"`{signature(known[name])}`", one.meaning, example

    return _table(("Call", "Types", "Meaning", "Example"), rows())


def signature(described: Function) -> str:
    """What a function takes and gives: `string, any… → string`."""
    takes = [_named(param) for param in described.params]
    if described.variadic is not None:
        takes.append(f"{_named(described.variadic)}…")
    return " ".join([", ".join(takes), "→", _named(described.result)]).strip()


def _named(found: GoType) -> str:
    return _GO_NAMES.get(found.name, found.name)


def _shown(example: str, gives: str) -> str:
    return f"`{example}` → `{gives.strip()}`" if gives.strip() else f"`{example}` → nothing"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    cells = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "".join(f"| {line} |\n" for line in cells)


main = page_command(page, Path("docs/reference/templates.md"))


if __name__ == "__main__":
    main()
