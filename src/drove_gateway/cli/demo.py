"""`drove-gateway demo`: show the gateway at work, or check that it works."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

import click

from drove_gateway.cli.command import Command
from drove_gateway.cli.messages import fail
from drove_gateway.demo.checks import CHECKS, Result
from drove_gateway.demo.clients import Load
from drove_gateway.demo.errors import DemoError
from drove_gateway.demo.narration import introduce, narrate
from drove_gateway.demo.proxy import KINDS, find_program
from drove_gateway.demo.stage import Stage, stage

_ALWAYS_SERVED = ("web.demo.local", "api.demo.local")


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway demo", "Watch until Ctrl-C, and send requests to the proxy yourself."),
        ("drove-gateway demo --proxy nginx --once", "Check every step with NGINX, then exit."),
    ),
    exit_codes={
        0: "Ctrl-C ended it; with --once, the proxy's responses confirmed every step.",
        1: "A part cannot be started; with --once, a step was not confirmed or a request failed.",
    },
)
@click.option(
    "--proxy",
    type=click.Choice(tuple(KINDS)),
    default=next(iter(KINDS)),
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
    by the responses that come through the proxy. It removes everything at the end.
    """
    try:
        asyncio.run(_demo(proxy, find_program(proxy, program), once=once))
    except DemoError as error:
        fail(error)
    except KeyboardInterrupt:
        click.echo("\nThe demo has ended and removed everything.")


async def _demo(kind: str, program: Path, *, once: bool) -> None:
    async with stage(kind, program) as playing:
        introduce(playing, click.echo)
        if not once:
            click.echo("What happens (Ctrl-C ends it):\n")
            await narrate(playing, click.echo)
        elif not await _checked(playing):
            click.secho((playing.directory / "gateway.log").read_text(), fg="yellow", err=True)
            sys.exit(1)


async def _checked(playing: Stage) -> bool:
    """Run every check under load; return whether all passed."""
    load = Load(playing.clients, _ALWAYS_SERVED)
    asking = asyncio.create_task(load.run())
    click.echo(f"{'step':<48} {'result':<8} {'ms':>8}")
    results = [await _step(step, check(playing)) for step, check in CHECKS]
    asking.cancel()
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
    click.echo(f"{step:<48} {verdict}{' ' * (8 - len(click.unstyle(verdict)))} {number}")
