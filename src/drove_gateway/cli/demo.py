"""`drove-gateway demo`: show the gateway at work, or check that it works."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path

import click

from drove_gateway.cli.command import Command
from drove_gateway.cli.messages import fail
from drove_gateway.demo.checks import CHECKS, Result
from drove_gateway.demo.clients import Load
from drove_gateway.demo.errors import DemoError
from drove_gateway.demo.interruption import ended_by_itself
from drove_gateway.demo.narration import introduce, narrate
from drove_gateway.demo.proxy import find_program
from drove_gateway.demo.stage import Stage, stage
from drove_gateway.proxies.registry import DEMOS

_ALWAYS_SERVED = ("web.demo.local", "api.demo.local")


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway demo", "Watch until Ctrl-C, and send requests to the proxy yourself."),
        ("drove-gateway demo --proxy nginx --once", "Check every step with NGINX, then exit."),
    ),
    exit_codes={
        0: "A signal ended it; with --once, the proxy's responses confirmed every step.",
        1: "A part cannot be started; with --once, a step was not confirmed, a request failed, "
        "or a signal ended it.",
    },
)
@click.option(
    "--proxy",
    type=click.Choice(tuple(DEMOS)),
    default=next(iter(DEMOS)),
    show_default=True,
    help="The real proxy to run.",
)
@click.option("--once", is_flag=True, help="Check each step through the proxy, then exit.")
@click.option(
    "--program",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The proxy's executable.  [default: from its wheel, or from PATH]",
)
def demo(proxy: str, once: bool, program: Path | None) -> None:
    """Run a simulated Drove cluster, a real proxy and the gateway on this machine.

    Apps are deployed, scaled and killed, and leadership changes, while clients send requests
    through the proxy. The demo prints what happens until Ctrl-C. With --once it checks each step
    by the responses that come through the proxy. When it ends, also by SIGTERM or a closed
    terminal, it stops and removes everything.
    """
    try:
        work = _demo(proxy, find_program(proxy, program), once=once)
        complete = asyncio.run(ended_by_itself(work))
    except DemoError as error:
        fail(error)
    if not complete:
        _farewell()
    if once and not complete:
        sys.exit(1)


async def _demo(kind: str, program: Path, *, once: bool) -> None:
    _say(f"Starting a Drove cluster, {kind} and the gateway ...\n")
    async with stage(kind, program) as playing:
        introduce(playing, _this_program(), _say)
        load = Load(playing.clients, _ALWAYS_SERVED)
        asking = asyncio.create_task(load.run())
        try:
            if not once:
                _say("What happens (Ctrl-C ends it):\n")
                await narrate(playing, load, _say)
            elif not await _checked(playing, load):
                click.secho((playing.directory / "gateway.log").read_text(), fg="yellow", err=True)
                sys.exit(1)
        finally:
            asking.cancel()


async def _checked(playing: Stage, load: Load) -> bool:
    """Run every check under load; return whether all passed."""
    _say(f"{'step':<48} {'result':<8} {'ms':>8}")
    results = [await _step(step, check(playing)) for step, check in CHECKS]
    well = load.failed == 0
    _line(f"{load.requests} requests meanwhile, {load.failed} failed", well, None)
    return well and all(result.milliseconds is not None for result in results)


async def _step(step: str, check: Awaitable[float | None]) -> Result:
    result = Result(step, await check)
    _line(step, result.milliseconds is not None, result.milliseconds)
    return result


def _line(step: str, well: bool, milliseconds: float | None) -> None:
    verdict = click.style("ok", fg="green") if well else click.style("FAILED", fg="red")
    number = "" if milliseconds is None else f"{milliseconds:8.0f}"
    _say(f"{step:<48} {verdict}{' ' * (8 - len(click.unstyle(verdict)))} {number}")


def _this_program() -> str:
    """Return what to type to run this program."""
    typed = Path(sys.argv[0])
    if typed.name == "__main__.py":
        return f"{shortest(Path(sys.executable), Path.cwd())} -m drove_gateway"
    return shortest(typed, Path.cwd())


def shortest(program: Path, here: Path) -> str:
    """Return the shortest way to name `program` in a shell whose directory is `here`."""
    if (known := shutil.which(program.name)) and Path(known) == program:
        return program.name
    return str(program.relative_to(here)) if program.is_relative_to(here) else str(program)


def _say(text: str) -> None:
    """Print a line. A closed pipe ends the demo as a closed terminal does."""
    try:
        click.echo(text)
    except OSError:
        signal.raise_signal(signal.SIGHUP)


def _farewell() -> None:
    try:
        click.echo("\nThe demo has ended and removed everything.")
    except OSError:
        # The interpreter flushes what is still buffered, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
