"""Where a line that a proxy's check refuses comes from. Pure."""

import re
from itertools import islice
from pathlib import Path

import msgspec

from drove_gateway.config.declared_secrets import without_declared_secrets
from drove_gateway.model.wording import printable

_LONGEST = 160
_MOST_NAMED = 100
# NGINX's and HAProxy's levels of what a check only mentions.
_NO_ERROR = re.compile(r"\[(?:debug|info|notice|warn|NOTICE|WARNING)\]")


def errors_of(output: str, config: Path) -> str:
    """Return a check's output without notes and warnings, unless only these name a line."""
    errors = "\n".join(line for line in output.splitlines() if not _NO_ERROR.search(line))
    return errors if named_lines(errors, config) else output


def refused_line(output: str, config: Path) -> int | None:
    """Return the line of the file that a check refuses, as in `/etc/nginx.conf:12`.

    It is the first line that an error names; what a warning names is not refused.
    """
    return next(iter(named_lines(errors_of(output, config), config)), None)


def named_lines(output: str, config: Path) -> list[int]:
    """Return the lines of the file that a check names, each once, the first `_MOST_NAMED`."""
    matches = re.finditer(rf"{re.escape(str(config))}:(\d{{1,9}})", output)
    return list(dict.fromkeys(int(match[1]) for match in islice(matches, _MOST_NAMED)))


def line_of(text: str, number: int | None) -> str:
    """Return a line of `text`, counted from 1; nothing where there is no such line."""
    lines = text.splitlines()
    return lines[number - 1] if number is not None and 0 < number <= len(lines) else ""


class TemplateSource(msgspec.Struct, frozen=True):
    """The text of a template, with the name of its file and its delimiters."""

    name: str
    text: str
    delims: tuple[str, str]

    def origin(self, rendered: str, line: int | None) -> str:
        """Describe a line of the rendered text, and the line of the template that made it.

        ` at line 12 (server x:1;, from line 3 of nginx.tmpl)`; empty where there is no such line.
        What the line declares to be secret is hidden.
        """
        text = line_of(rendered, line)
        if not text:
            return ""
        number = self.line_of(text)
        where = f", from line {number} of {self.name}" if number else ""
        return f" at line {line} ({printable(without_declared_secrets(text), _LONGEST)}{where})"

    def line_of(self, rendered_line: str) -> int | None:
        """Return the template's line that most likely made `rendered_line`, counted from 1.

        A line of the template matches when its literal text is in the rendered line in the same
        order; the line with the most literal text wins. None where no line or several lines match
        equally well.
        """
        left, right = (re.escape(delimiter) for delimiter in self.delims)
        best, weight = None, 0
        for number, line in enumerate(self.text.splitlines(), 1):
            literals = [part.strip() for part in re.split(f"{left}.*?{right}", line)]
            size = sum(map(len, literals))
            if size < max(weight, 3):
                continue
            pattern = ".*".join(re.escape(literal) for literal in literals)
            if re.fullmatch(rf"\s*{pattern}\s*", rendered_line):
                best, weight = (None if size == weight else number), size
        return best
