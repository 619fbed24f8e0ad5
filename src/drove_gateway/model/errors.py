"""The errors that parts of the gateway raise for each other.

    GatewayError
    ├── ConfigError              nixy.toml or the environment cannot be used
    ├── DroveError               a controller cannot be asked, or its response not be used
    │   ├── NoLeader             no controller of the namespace says that it leads
    │   │   └── AccessDenied     since they refuse the credentials
    │   ├── ControllerDown       refused, timed out, cut off
    │   ├── ControllerRefused    responded with a status that is not 200
    │   └── BadResponse          responded with 200, but the body is not usable
    ├── StateError               the state on disk cannot be used
    ├── RenderError              the template cannot be read, parsed or executed
    └── ProxyError               the proxy could not be brought to the desired state
        ├── CommandFailed        exit code, and what the command printed
        ├── CommandTimeout       the command did not end in time
        │   └── ReloadTimeout    the command was a reload, which may have happened
        ├── CheckRefused         the proxy's own check refuses the rendered configuration
        ├── GenerationUnproven   reloaded, but the old generation still responds
        └── RuntimeApiError      the runtime API cannot be reached, or refused

Messages are for the person on call: what happened, to what, what the gateway did instead and what
to do. They never hold a secret. Foreign errors are translated where they are met, once, with
``raise … from``.
"""


class GatewayError(Exception):
    """The root of all."""


class ConfigError(GatewayError):
    """The configuration cannot be used. `problems` has a line for each thing to fix."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class DroveError(GatewayError):
    """A controller cannot be asked, or its response cannot be used."""


class NoLeader(DroveError):
    """No controller of the namespace says that it leads."""


class AccessDenied(NoLeader):
    """The controllers refuse user and password, or the token."""


class ControllerDown(DroveError):
    """The connection was refused, timed out or cut off."""


class ControllerRefused(DroveError):
    """The controller responded with a status other than 200."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class BadResponse(DroveError):
    """The controller responded with 200, but the body is not usable."""


class StateError(GatewayError):
    """The state on disk cannot be used; the message says what is wrong with the file."""


class RenderError(GatewayError):
    """The template cannot be read, parsed or executed."""


class ProxyError(GatewayError):
    """The proxy could not be brought to the desired state."""


class CommandFailed(ProxyError):
    """A command ended with a non-zero exit code, or could not be started."""

    def __init__(self, message: str, *, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class CommandTimeout(ProxyError):
    """A command did not end in time and was killed."""


class ReloadTimeout(CommandTimeout):
    """A reload did not end in time. It may have happened all the same."""


class CheckRefused(ProxyError):
    """The proxy's own check refuses the rendered configuration; the old configuration stays.

    `output` is what the check printed, `line` the rendered file's line where the output names it.
    """

    def __init__(self, message: str, *, output: str = "", line: int | None = None) -> None:
        super().__init__(message)
        self.output = output
        self.line = line


class GenerationUnproven(ProxyError):
    """The reload was requested, but the new generation does not respond."""


class RuntimeApiError(ProxyError):
    """The runtime API cannot be reached, or refused a command."""
