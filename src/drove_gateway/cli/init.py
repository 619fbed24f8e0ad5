"""`drove-gateway init`: write a configuration and a template to start from."""

import os
from pathlib import Path

import click

from drove_gateway.cli.command import Command
from drove_gateway.cli.messages import say
from drove_gateway.process.program import find_program
from drove_gateway.templates.starter import LUA_STARTER, STARTERS, Starter


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway init haproxy edge", "Write edge/nixy.toml and edge/haproxy.tmpl."),
        ("drove-gateway init nginx", "Write to the current directory."),
        ("drove-gateway init nginx --lua", "For NGINX with Lua, which changes without reloads."),
    ),
    exit_codes={
        0: "The files were written.",
        1: "A file of this name exists, or the directory cannot be written to.",
    },
)
@click.argument("proxy", type=click.Choice(sorted(STARTERS)))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option(
    "--lua",
    is_flag=True,
    help="For NGINX with ngx_http_lua, or OpenResty: change servers and vhosts without reloads.",
)
def init(proxy: str, directory: Path, *, lua: bool) -> None:
    """Write a commented nixy.toml and a template into DIRECTORY.

    The result runs as any user: the proxy listens on port 8080 and keeps all of its files in
    DIRECTORY, which is the current directory by default and is created if it is missing. The
    controllers are those of `drove-gateway simulate`; replace them with yours. The command prints
    how to start the proxy and the gateway. It never overwrites a file.
    """
    if lua and proxy != LUA_STARTER.proxy:
        raise click.UsageError(f"--lua is for {LUA_STARTER.proxy}, not for {proxy}")
    starter, place = LUA_STARTER if lua else STARTERS[proxy], directory.absolute()
    if reason := _unsuitable(place):
        raise click.ClickException(reason)
    program = find_program(proxy)
    files = {
        place / "nixy.toml": starter.configuration(place, program or proxy),
        place / f"{proxy}.tmpl": starter.template,
    }
    for file in files:
        if file.exists():
            raise click.ClickException(f"{file} exists; remove it, or name another directory")
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            with open(file, "x", encoding="utf-8", opener=_not_for_others) as target:
                target.write(text)
    except OSError as error:
        raise click.ClickException(f"cannot write to {place}: {error.strerror}") from error
    _say_how_to_start(starter, place, program)


def _not_for_others(path: str, flags: int) -> int:
    """Open a file as the packages install it: nixy.toml gets passwords."""
    return os.open(path, flags, 0o640)


def _unsuitable(place: Path) -> str:
    """Return why this directory cannot be used; commands are split on blanks, and sockets' paths
    have at most 107 bytes."""
    if any(character.isspace() or character in "\"'\\;{}" for character in str(place)):
        return f"{str(place)!r} has a blank or a quote, which commands and templates cannot name"
    if len(str(place / "master.sock.00000.tmp").encode()) > 107:
        return f"{place} is too long a path for the proxy's sockets; name another directory"
    return ""


def _say_how_to_start(starter: Starter, place: Path, program: str | None) -> None:
    say(f"wrote {place / 'nixy.toml'} and {place / starter.template_name}")
    if program is None:
        say(f"{starter.proxy} is not installed here; install it first")
    say("")
    say("Set your controllers in nixy.toml, or start some with `drove-gateway simulate`. Then:")
    say("")
    say(f"  cd {place}")
    for line in starter.start(place, program or starter.proxy):
        say(f"  {line}")
