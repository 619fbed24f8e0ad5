"""Why a template, or a function of it, cannot be compiled."""


class NotCompilableError(Exception):
    """The compiler leaves the template to the interpreter; `str()` is the reason."""


class ManyTypesError(Exception):
    """A variable gets values of different types; carries its name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
