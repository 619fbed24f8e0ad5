"""What a proxy's driver asks of an installation, and the installation that does nothing.

Drivers know only `Installation`. `FileInstallation` renders, checks, swaps, reloads and proves;
`NoInstallation` stands for disabled reloads beside a runtime API.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from drove_gateway.model.health import RELOAD_DISABLED, TEMPLATING_DISABLED, HealthSection
from drove_gateway.model.plan import Durations, Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.render import Rendered


class InstallResult(msgspec.Struct, frozen=True):
    """A configuration that serves: for which topology, and how it got there.

    `topology` is what serves; `failed` names the parts of the desired topology that do not, because
    the proxy refuses them, each with the reason. `reloaded` is False where the proxy already served
    exactly this configuration, or the runtime API brought it there. `first_line` names the line for
    which the proxy had to be reloaded, if that is known. With `needs_reload` nothing was changed:
    a reload is necessary and was not allowed. `proxy` is the proxy's name.
    """

    proxy: str
    topology: Topology
    reloaded: bool = False
    needs_reload: bool = False
    first_line: str = ""
    failed: tuple[tuple[str, str], ...] = ()
    seconds: Durations = ()

    def steps(self, reasons: Sequence[str]) -> tuple[Step, ...]:
        """Return the plan's `reasons` to reload as steps that were carried out."""
        action = "reload" if self.reloaded else "keep"
        why = [*reasons]
        if self.reloaded and self.first_line and self.first_line not in reasons:
            why.append(self.first_line)
        return tuple(Step(action, self.proxy, reason) for reason in why)


class AtRuntime(Protocol):
    """Brings a running proxy from one configuration to another over its runtime API."""

    def first_line(self, before: str, after: str) -> str:
        """Name the first line of `after` that only a reload brings, where `before` is loaded."""
        ...

    async def bring(self, before: str, after: str) -> str:
        """Bring the proxy, which serves `before` or a text with the same shared part, to `after`.

        Returns why it must be reloaded instead, or an empty string.
        """
        ...


class Installation(Protocol):
    """Brings configurations to a proxy, and reports how that went."""

    @property
    def enabled(self) -> bool:
        """Whether configurations are installed at all. Where they are not, a backend that the
        proxy does not have can only be created by others."""
        ...

    @property
    def installed(self) -> Topology | None:
        """The topology of the last installed configuration; None before this run's first."""
        ...

    @property
    def current(self) -> Rendered | None:
        """The configuration that serves; None where it is not known."""
        ...

    @property
    def written(self) -> Rendered | None:
        """The configuration that the file has, where this run wrote it."""
        ...

    def reload_reasons(self, reasons: Sequence[str]) -> tuple[str, ...]:
        """Return those of `reasons` for which a plan may require a new configuration."""
        ...

    def reachable(self, desired: Topology) -> Topology:
        """Return `desired`, with the parts that the proxy is known to refuse as they were last
        accepted, or without them."""
        ...

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """Return the parts of `desired` that the proxy refuses, each with the reason."""
        ...

    async def install(
        self, desired: Topology, at_runtime: AtRuntime | None = None, *, may_reload: bool = True
    ) -> InstallResult:
        """Make the proxy serve the configuration for `desired`, and prove it where possible.

        Nothing is reloaded when the proxy already serves it, or when `at_runtime` brings it there;
        nothing is changed when a reload is necessary and not allowed. Raises RenderError,
        CheckRefused, CommandFailed, CommandTimeout, GenerationUnproven or another ProxyError; the
        proxy then serves what it served before, and so does its file.
        """
        ...

    async def hasten(self, desired: Topology, at_runtime: AtRuntime) -> InstallResult | None:
        """Have `at_runtime` bring the proxy to the text for `desired` before it is checked.

        Returns None where that is not enough, or where it is not known what the proxy serves: then
        `install` decides. The caller has the file written soon; see `ahead`.
        """
        ...

    def ahead(self) -> str:
        """Return why the proxy has at runtime what its file cannot have, or an empty string."""
        ...

    async def write(self, desired: Topology) -> bool:
        """Bring the configuration file to `desired` without a reload, for the proxy's next start.

        Returns whether the file changed. Raises RenderError, CheckRefused or another ProxyError;
        the file is then unchanged.
        """
        ...

    @property
    def failing(self) -> bool:
        """Whether the last install failed, so that the proxy serves the one before."""
        ...

    def forget_failure(self) -> None:
        """Take that the change whose install failed is not wanted any more."""
        ...

    def forget_served(self) -> None:
        """Take that it is not known what the proxy serves: another process of it answers."""
        ...

    async def drift(self) -> str:
        """Return how the file or the running proxy differs from the installed configuration, or
        an empty string."""
        ...

    def config_health(self, desired: Topology | None) -> HealthSection:
        """Return the configuration's section of health, given what should be served."""
        ...

    def template_health(self) -> HealthSection:
        """Return the template's section of health."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Return what is worth knowing about the file, and is not a problem."""
        ...


class NoInstallation:
    """Reloads are disabled and a runtime API does the rest: nothing is rendered or written."""

    enabled = False
    installed = None
    current = None
    written = None
    failing = False

    def __init__(self, proxy: str) -> None:
        self._proxy = proxy

    def reload_reasons(self, reasons: Sequence[str]) -> tuple[str, ...]:  # noqa: ARG002
        return ()

    def reachable(self, desired: Topology) -> Topology:
        return desired

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:  # noqa: ARG002
        return ()

    async def install(
        self,
        desired: Topology,
        at_runtime: AtRuntime | None = None,  # noqa: ARG002
        *,
        may_reload: bool = True,  # noqa: ARG002
    ) -> InstallResult:
        return InstallResult(self._proxy, desired)

    async def hasten(self, desired: Topology, at_runtime: AtRuntime) -> InstallResult | None:  # noqa: ARG002
        return None

    def ahead(self) -> str:
        return ""

    async def write(self, desired: Topology) -> bool:  # noqa: ARG002
        return False

    def forget_failure(self) -> None:
        """Nothing is installed, so nothing failed."""

    def forget_served(self) -> None:
        """What the proxy serves is not this installation's."""

    async def drift(self) -> str:
        return ""

    def config_health(self, desired: Topology | None) -> HealthSection:  # noqa: ARG002
        return RELOAD_DISABLED

    def template_health(self) -> HealthSection:
        return TEMPLATING_DISABLED

    def notes(self) -> tuple[str, ...]:
        return ()
