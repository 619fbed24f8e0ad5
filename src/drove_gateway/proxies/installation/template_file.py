"""The operator's template on disk: read again when it changes, the last good version kept."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drove_gateway.files.regular import read_regular
from drove_gateway.files.stamp import Stamp, stamp
from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.errors import RenderError
from drove_gateway.proxies.installation.template_memory import TemplateMemory

# Far more than any template has; an endless file must not fill the memory.
_MOST_BYTES = 16 * 1024 * 1024

Functions = Mapping[str, Callable[..., Any]]


def read_template(path: Path) -> str:
    """Return the source of a template. Raises OSError; a pipe or a device counts as unreadable."""
    return read_regular(path, _MOST_BYTES).decode(errors="surrogateescape")


class TemplateFile:
    """A template file that is compiled when it changes.

    `newest` is the file as it is now; `good` is the last version whose result the proxy accepted. A
    version that fails never replaces the good version, so changes in the cluster still reach
    traffic while an operator repairs the template. `memory` keeps the good version across restarts.

    With `release`, a changed file waits until `release()` returns another number. `setting` is the
    key that names the file.
    """

    def __init__(
        self,
        path: Path,
        delims: tuple[str, str],
        functions: Functions,
        memory: TemplateMemory | None = None,
        release: Callable[[], int] | None = None,
        *,
        setting: str = "the configuration",
    ) -> None:
        self.path = path
        self.good: Template | None = None
        self.source = ""
        self._memory = memory
        self._to_keep: str | None = None
        self._delims = delims
        self._functions = functions
        self._release = release
        self._setting = setting
        self._released = 0
        self._stamp: Stamp = None
        self._newest: Template | RenderError | None = None

    def changed(self) -> bool:
        """Whether the file has to be read again: it differs from what was last read, and does not
        wait. False before a first read."""
        return self._newest is not None and self._is_released() and self._differs()

    def waits(self) -> bool:
        """Whether the file differs from what was last read, and waits for its release."""
        return self._newest is not None and not self._is_released() and self._differs()

    def newest(self) -> Template:
        """Return the template as it is on disk. Raises RenderError with its file and line."""
        if self._newest is None or self.changed():
            self._stamp = stamp(self.path)
            self._newest = self._read()
        if self._release is not None:
            self._released = self._release()
        if isinstance(self._newest, RenderError):
            raise self._newest
        return self._newest

    def accept(self, template: Template) -> None:
        """Remember that the proxy accepted the result of `template`."""
        if template is not self.good and template is self._newest:
            self._to_keep = self.source
        self.good = template

    def keep(self) -> None:
        """Store the last good version, if it is new. A failure changes nothing: the state's
        directory has its own section in health."""
        if self._memory is not None and self._to_keep is not None:
            self._memory.write(self._to_keep)
        self._to_keep = None

    def recall(self) -> None:
        """Take the version that an earlier run stored as the last good version."""
        known = self._memory.read() if self._memory is not None else None
        if known is None:
            return
        with suppress(TemplateError):
            self.good = self._compiled(known)
        with suppress(RenderError):
            newest = self.newest()
            if self.source == known:
                self.good = newest

    def _is_released(self) -> bool:
        return self._release is None or self._release() != self._released

    def _differs(self) -> bool:
        return self._stamp != stamp(self.path)

    def _read(self) -> Template | RenderError:
        try:
            self.source = read_template(self.path)
            return self._compiled(self.source)
        except OSError as error:
            return RenderError(
                f"cannot read the template {self.path.absolute()}, which {self._setting} names: "
                f"{error.strerror}"
            )
        except TemplateError as error:
            return RenderError(str(error))

    def _compiled(self, source: str) -> Template:
        return Template(
            source,
            name=self.path.name,
            delims=self._delims,
            funcs=dict(self._functions),
            # Topologies are immutable, and successive ones share the apps that did not change.
            reuse=True,
        )
