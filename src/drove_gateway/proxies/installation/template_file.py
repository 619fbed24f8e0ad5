"""The operator's template on disk: read again when it changes, the last good version kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drove_gateway.files.regular import read_regular
from drove_gateway.files.stamp import Stamp, stamp
from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.errors import RenderError

# Far more than any template has; an endless file must not fill the memory.
_MOST_BYTES = 16 * 1024 * 1024

Functions = Mapping[str, Callable[..., Any]]


class TemplateFile:
    """A template file that is compiled when it changes.

    `newest` is the file as it is now; `good` is the last version whose result the proxy accepted. A
    version that fails never replaces the good version, so changes in the cluster still reach
    traffic while an operator repairs the template.
    """

    def __init__(self, path: Path, delims: tuple[str, str], functions: Functions) -> None:
        self.path = path
        self.good: Template | None = None
        self.source = ""
        self._delims = delims
        self._functions = functions
        self._stamp: Stamp = None
        self._newest: Template | RenderError | None = None

    def changed(self) -> bool:
        """Whether the file on disk differs from what was last read; False before a first read."""
        return self._newest is not None and self._stamp != stamp(self.path)

    def newest(self) -> Template:
        """Return the template as it is on disk. Raises RenderError with its file and line."""
        now = stamp(self.path)
        if self._newest is None or now != self._stamp:
            self._stamp = now
            self._newest = self._read()
        if isinstance(self._newest, RenderError):
            raise self._newest
        return self._newest

    def accept(self, template: Template) -> None:
        """Remember that the proxy accepted the result of `template`."""
        self.good = template

    def _read(self) -> Template | RenderError:
        try:
            content = read_regular(self.path, _MOST_BYTES)
            self.source = content.decode(errors="surrogateescape")
            return Template(
                self.source,
                name=self.path.name,
                delims=self._delims,
                funcs=dict(self._functions),
                # Topologies are immutable, and successive ones share the apps that did not change.
                reuse=True,
            )
        except OSError as error:
            return RenderError(f"cannot read the template {self.path}: {error.strerror}")
        except TemplateError as error:
            return RenderError(str(error))
