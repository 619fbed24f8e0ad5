"""Where a line that a proxy's check refuses comes from. Pure."""

import re
from pathlib import Path

from drove_gateway.proxies.installation.render import template_line

_LONGEST = 160


def refused_line(output: str, config: Path) -> int | None:
    """The line of the file that a check names: `nginx.conf:12` (NGINX), `[haproxy.cfg:12]`."""
    found = re.search(rf"{re.escape(str(config))}:(\d+)", output)
    return int(found.group(1)) if found else None


def whence(text: str, line: int | None, template: str, name: str, delims: tuple[str, str]) -> str:
    """The line of the rendered `text`, and the line of the template `name` that most likely made
    it: ` at line 12 (server x:1;, from line 3 of nginx.tmpl)`; empty where there is no such line.
    """
    lines = text.splitlines()
    if line is None or not 0 < line <= len(lines):
        return ""
    origin = template_line(template, lines[line - 1], delims)
    where = f", from line {origin} of {name}" if origin else ""
    return f" at line {line} ({lines[line - 1].strip()[:_LONGEST]}{where})"
