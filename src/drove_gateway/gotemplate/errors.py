"""What can go wrong with a template, worded as Go's text/template words it."""


class TemplateError(Exception):
    """A template that cannot be parsed or executed.

    `name` and `line` (from 1) say where: the name given to `Template`, and the line in its source.
    `str()` is Go's message.
    """

    def __init__(self, message: str, *, name: str, line: int) -> None:
        super().__init__(message)
        self.name = name
        self.line = line

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), str(self), self.name, self.line)


class TemplateSyntaxError(TemplateError):
    """The template could not be parsed: `template: NAME:LINE: …`."""


class TemplateExecError(TemplateError):
    """Execution stopped: `template: NAME:LINE:COLUMN: executing "TEMPLATE" at <NODE>: …`.

    Columns count bytes from 0, as Go's do.
    """


def _rebuild(cls: type[TemplateError], message: str, name: str, line: int) -> TemplateError:
    return cls(message, name=name, line=line)


class FunctionError(Exception):
    """What a built-in function found wrong with its arguments; becomes a `TemplateExecError`."""
