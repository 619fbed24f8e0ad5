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
    table of nixy.toml, so that any shipped template of this proxy can replace it. `settings` are
    lines of nixy.toml that not every template of the proxy needs.
    """

    proxy: str
    commands: tuple[str, ...]
    shipped_name: str
    settings: str = ""

    @property
    def template_name(self) -> str:
        """The name of the template's file."""
        return f"{self.proxy}.tmpl"

    def configuration(self, place: Path, program: str) -> str:
        """Return the text of nixy.toml for the directory `place`."""
        text = resources.files(__name__).joinpath(f"{self.proxy}.toml").read_text("utf-8")
        text = text.replace("@SETTINGS@\n", self.settings)
        return text.replace("@DIRECTORY@", str(place)).replace("@PROGRAM@", program)

    @property
    def template(self) -> str:
        """The shipped template."""
        return shipped(self.shipped_name)

    def start(self, place: Path, program: str) -> tuple[str, ...]:
        """Return the shell commands that start the proxy and the gateway."""
        return tuple(command.format(place=place, program=program) for command in self.commands)


_START_NGINX = (
    "drove-gateway check",
    "drove-gateway render > nginx.conf",
    "{program} -p {place} -e {place}/error.log -c {place}/nginx.conf",
    "drove-gateway 2> gateway.log &",
    "drove-gateway status --wait 30",
)

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
        shipped_name="haproxy",
    ),
    "nginx": Starter(proxy="nginx", commands=_START_NGINX, shipped_name="nginx"),
}
"""The starter of each proxy by the name of its program."""

LUA_STARTER = Starter(
    proxy="nginx",
    commands=_START_NGINX,
    shipped_name="nginx-lua",
    settings="""\
# Where the Lua balancer's API listens: servers and new vhosts change over it, without a reload.
nginxplusapiaddr = "unix:@DIRECTORY@/api.sock"
# Seconds after which a reload brings the blocks of new vhosts, which are served at once.
structure_reload_min_interval_sec = 60
""",
)
"""The starter of NGINX with Lua, or OpenResty."""
