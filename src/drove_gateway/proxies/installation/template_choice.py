"""Which template makes the configuration: the newest, or the last good one while that fails."""

from collections.abc import Callable

from drove_gateway.gotemplate import Template
from drove_gateway.model.errors import GatewayError, RenderError
from drove_gateway.proxies.installation.rendering import to_the_end
from drove_gateway.proxies.installation.template_file import TemplateFile

# A port that was in use may be free by now; each try of such a template is a reload that fails.
_RETRIED_AFTER_SECONDS = 300.0

_LAST_GOOD = "the last good template is used instead, since the newest fails"
_NONE = "no template can be used, and the proxy keeps its configuration"


class TemplateChoice:
    """Chooses between the newest and the last good version of a template file.

    `problem` says what is wrong with the newest version, empty when nothing is known to be. A
    version that the proxy cannot load counts as failing until the file changes, or for a while.
    """

    def __init__(self, file: TemplateFile, clock: Callable[[], float]) -> None:
        self.problem = ""
        self._file = file
        self._clock = clock
        self._unloadable: tuple[Template, str, float] | None = None

    @property
    def good(self) -> Template | None:
        return self._file.good

    async def newest(self) -> Template:
        """Return the template on disk. Raises RenderError if it cannot be used, or could not be
        loaded lately."""
        newest = await to_the_end(self._file.newest)
        if self._unloadable is not None:
            template, reason, since = self._unloadable
            if newest is template and self._clock() - since < _RETRIED_AFTER_SECONDS:
                raise RenderError(f"{self._file.path.name} passes the check, but {reason}")
            self._unloadable = None
        return newest

    async def usable(self) -> Template:
        """Return the last good template; the newest where there is none. Raises RenderError."""
        return self._file.good or await self.newest()

    def accept(self, template: Template) -> None:
        """Remember that the proxy accepted the result of `template`."""
        self._file.accept(template)

    def refuse(self, template: Template, error: GatewayError) -> bool:
        """Take that the proxy could not load the result of `template`.

        Returns whether another template, which it loaded before, can take its place.
        """
        if self.good is None or template is self.good:
            return False
        self._unloadable = (template, str(error), self._clock())
        return True

    def forgive(self) -> None:
        """Forget that a template could not be loaded: others cannot be loaded either."""
        self._unloadable = None
        self.problem = ""

    def report(self, error: GatewayError | None, *, in_use: bool = False) -> None:
        """Take the problem of the newest template, None if it has none, and whether the last good
        template is in use instead."""
        # It comes first: a long error is cut where it is shown.
        instead = _LAST_GOOD if in_use else _NONE
        self.problem = f"{instead}: {error}" if error else ""
