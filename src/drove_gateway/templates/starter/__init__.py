"""Configurations to start from: each keeps everything in a directory and runs as any user."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import msgspec

from drove_gateway.templates import shipped


class Starter(msgspec.Struct, frozen=True):
    """What `drove-gateway init` writes for a proxy.

    `commands` starts the proxy and the gateway: `{place}` stands for the directory and `{program}`
    for the proxy's program. What the template needs to know of this user is in the `[template]`
    table of nixy.toml, so that any shipped template of this proxy can replace it.
    """

    proxy: str
    commands: tuple[str, ...]

    @property
    def template_name(self) -> str:
        """The name of the template's file."""
        return f"{self.proxy}.tmpl"

    def configuration(self, place: Path, program: str) -> str:
        """Return the text of nixy.toml for the directory `place`."""
        text = resources.files(__name__).joinpath(f"{self.proxy}.toml").read_text("utf-8")
        return text.replace("@DIRECTORY@", str(place)).replace("@PROGRAM@", program)

    @property
    def template(self) -> str:
        """The shipped template."""
        return shipped(self.proxy)

    def start(self, place: Path, program: str) -> tuple[str, ...]:
        """Return the shell commands that start the proxy and the gateway."""
        return tuple(command.format(place=place, program=program) for command in self.commands)


STARTERS: Mapping[str, Starter] = {
    "haproxy": Starter(
        proxy="haproxy",
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
