"""Configurations to start from: each keeps everything in a directory and runs as any user."""

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import msgspec

from drove_gateway.templates import shipped


class Starter(msgspec.Struct, frozen=True):
    """What `drove-gateway init` writes for a proxy.

    `defaults` replaces defaults of the shipped template's settings. `commands` starts
    the proxy and the gateway. In both, `{place}` stands for the directory and `{program}` for the
    proxy's program.
    """

    proxy: str
    defaults: Mapping[str, str]
    commands: tuple[str, ...]

    @property
    def template_name(self) -> str:
        """The name of the template's file."""
        return f"{self.proxy}.tmpl"

    def configuration(self, place: Path, program: str) -> str:
        """Return the text of nixy.toml for the directory `place`."""
        text = resources.files(__name__).joinpath(f"{self.proxy}.toml").read_text("utf-8")
        return text.replace("@DIRECTORY@", str(place)).replace("@PROGRAM@", program)

    def template(self, place: Path) -> str:
        """Return the shipped template with the defaults of a user without privileges."""
        text = shipped(self.proxy)
        for name, default in self.defaults.items():
            text = _with_default(text, name, default.format(place=place))
        return text

    def start(self, place: Path, program: str) -> tuple[str, ...]:
        """Return the shell commands that start the proxy and the gateway."""
        return tuple(command.format(place=place, program=program) for command in self.commands)


STARTERS: Mapping[str, Starter] = {
    "haproxy": Starter(
        proxy="haproxy",
        defaults={"PROXY_HTTP_PORT": "8080", "HAPROXY_USER": "none", "HAPROXY_LOG": "none"},
        commands=(
            "drove-gateway check",
            "drove-gateway render > haproxy.cfg",
            "{program} -W -S {place}/master.sock -f haproxy.cfg &",
            "drove-gateway 2> gateway.log &",
            "drove-gateway status --wait 30",
        ),
    ),
    "nginx": Starter(
        proxy="nginx",
        defaults={
            "PROXY_HTTP_PORT": "8080",
            "NGINX_USER": "none",
            "NGINX_PID": "{place}/nginx.pid",
            "NGINX_ERROR_LOG": "{place}/error.log",
            "NGINX_ACCESS_LOG": "{place}/access.log upstream",
            "NGINX_TEMP": "{place}",
        },
        commands=(
            "drove-gateway check",
            "drove-gateway render > nginx.conf",
            "{program} -p {place} -e {place}/error.log -c {place}/nginx.conf",
            "drove-gateway 2> gateway.log &",
            "drove-gateway status --wait 30",
        ),
    ),
}
"""The starter of each proxy by the name of its program."""


def _with_default(template: str, variable: str, default: str) -> str:
    """Replace the default of a setting. Raises ValueError if there is none."""
    pattern = rf'(or \.Vars\.{variable}) "[^"]*"'
    text, found = re.subn(pattern, lambda match: f'{match[1]} "{default}"', template)
    if not found:
        raise ValueError(f"the template has no default for {variable}")
    return text
