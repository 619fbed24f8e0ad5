"""The operator's template on disk: read again when it changed, the last good one kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.errors import RenderError

Functions = Mapping[str, Callable[..., Any]]
Stamp = tuple[int, int, int] | None


class TemplateFile:
    """A template file that is compiled when it changed.

    `newest` is the file as it is now; `good` the last one that made a configuration which the
    proxy took. A newest that fails never replaces the good one, so changes in the cluster still
    reach traffic while somebody mends the template.
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
        """Whether the file on disk is another one than was read last; not before a first read."""
        return self._newest is not None and self._stamp != _stamp(self.path)

    def newest(self) -> Template:
        """The template as it stands on disk. Raises RenderError with its file and line."""
        stamp = _stamp(self.path)
        if self._newest is None or stamp != self._stamp:
            self._stamp = stamp
            self._newest = self._read()
        if isinstance(self._newest, RenderError):
            raise self._newest
        return self._newest

    def accept(self, template: Template) -> None:
        """Remember that the proxy took what `template` made."""
        self.good = template

    def _read(self) -> Template | RenderError:
        try:
            self.source = self.path.read_bytes().decode(errors="surrogateescape")
            return Template(
                self.source, name=self.path.name, delims=self._delims, funcs=dict(self._functions)
            )
        except OSError as error:
            return RenderError(f"cannot read the template {self.path}: {error.strerror}")
        except TemplateError as error:
            return RenderError(str(error))


def _stamp(path: Path) -> Stamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
