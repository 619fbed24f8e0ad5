"""Build the reference of the log lines from their declarations."""

from collections.abc import Mapping

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.fields import FIELDS
from tools.reference.generated_files import reference_command
from tools.reference.markdown import table

_HEAD = """# Log lines

<!-- Generated from the declarations in src/drove_gateway/log/ by
     `python -m tools.reference.logs --write`; edit those, not this page. -->

The gateway logs to standard error, one line for each event. Text from outside can neither forge a
line nor command a terminal, and secrets are never shown. `log_format` chooses the form:

```text
time=2026-01-31T12:00:00Z level=info event=applied msg=applied took_ms=3.1 reloaded=false steps=2
{"time": "2026-01-31T12:00:00Z", "level": "info", "event": "applied", "msg": "applied"}
```

`event` is stable: search for it and alert on it, for example with
`journalctl -u drove-gateway | grep -w event=withdrawal_held`. `msg` is for people and may change.
`loglevel` chooses the lowest level that is logged; `debug` shows each poll of the controllers and
each command to the proxy's runtime API.

## Kinds of lines

"""

_FIELDS = """
## Fields

Each line has only those fields of its kind that have a value.

"""


def page() -> str:
    """The whole page, in Markdown."""
    kinds = table(("Event", "Level", "Message", "Fields"), map(_row, LogEvent))
    fields = table(
        ("Field", "Meaning"), ((f"`{name}`", meaning) for name, meaning in sorted(FIELDS.items()))
    )
    return _HEAD + kinds + _FIELDS + fields


def _row(event: LogEvent) -> tuple[str, ...]:
    line = event.value
    fields = ", ".join(f"`{name}`" for name in line.fields)
    return f"`{event.label}`", line.level, line.message, fields


def files() -> Mapping[str, str]:
    """The generated file, by name."""
    return {"logs.md": page()}


main = reference_command(files)


if __name__ == "__main__":
    main()
