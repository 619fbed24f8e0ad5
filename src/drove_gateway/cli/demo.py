"""`drove-gateway demo`: see it work, or check that it does."""

import asyncio
import sys
from collections.abc import Awaitable
from pathlib import Path

import click

from drove_gateway.cli.command import Command
from drove_gateway.cli.files import fail
from drove_gateway.demo.checks import CHECKS, Result
from drove_gateway.demo.clients import Load
from drove_gateway.demo.narration import introduce, narrate
from drove_gateway.demo.proxy import DemoError, find_program
from drove_gateway.demo.stage import Stage, stage

_ALWAYS_SERVED = ("web.demo.local", "api.demo.local")


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway demo", "Watch it until Ctrl-C, and ask the proxy yourself."),
        ("drove-gateway demo --proxy nginx --once", "Check every step with NGINX, then end."),
    ),
    exit_codes={
        0: "It was ended by Ctrl-C; with --once, every step was seen in the proxy's answers.",
        1: "A part cannot be started; with --once, a step was not seen, or a request failed.",
    },
)
@click.option(
    "--proxy",
    type=click.Choice(["haproxy", "nginx"]),
    default="haproxy",
    show_default=True,
    help="Which real proxy stands at the edge.",
)
@click.option("--once", is_flag=True, help="Check each step by the proxy's answers, then end.")
@click.option(
    "--program",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The proxy's program.  [default: from its wheel, or the PATH]",
)
def demo(proxy: str, once: bool, program: Path | None) -> None:
    """Play a simulated Drove cluster, a real proxy and the gateway, on this machine.

    Apps are deployed, scaled and killed, and leadership moves, under load through the proxy. It
    goes on telling what happens until Ctrl-C; with --once each step is checked once, by the
    answers that come through the proxy. Nothing is left behind.
    """
    try:
        asyncio.run(_demo(proxy, find_program(proxy, program), once=once))
    except DemoError as error:
        fail(error)
    except KeyboardInterrupt:
        click.echo("\nThe demo is over; nothing is left behind.")


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
    """Every check in turn, under load; whether all held."""
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
