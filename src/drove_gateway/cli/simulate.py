"""`drove-gateway simulate`: run a simulated Drove cluster alone."""

import asyncio
import math
import signal
from collections.abc import Iterator, Mapping

import click

from drove_gateway.cli.command import Command
from drove_gateway.simulator import Options, Simulator, SimulatorError
from drove_gateway.simulator.recovery import REAL_SECONDS

DEFAULTS = Options()
CONTROL_OFFSET = 100


def parse_tags(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> Mapping[str, str] | None:
    """Return repeated KEY=VALUE as a mapping."""
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE")
    return dict(value.split("=", 1) for value in values) or None


def parse_recovering(_: click.Context, __: click.Parameter, value: str) -> float:
    """Return the seconds of a takeover; `real` is how long real leaders take."""
    if value == "real":
        return REAL_SECONDS
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise click.BadParameter(f"{value!r} is neither 'real' nor a number of seconds")
    return seconds


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway simulate", "Three controllers from port 4000 on, three apps."),
        (
            "drove-gateway simulate --apps 1000 --instances 10 --addresses",
            "A large cluster whose instances are addresses only.",
        ),
        (
            "drove-gateway simulate --tag env=blue --vhost '{name}.example.com'",
            "Apps for a template with host groups.",
        ),
        (
            """curl localhost:4100/scale -d '{"app": "app1", "instances": 5}'""",
            "Change something over the control API.",
        ),
    ),
    exit_codes={0: "A signal ended it.", 1: "A port cannot be used."},
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=4000,
    show_default=True,
    help="The first controller's port; the others follow.",
)
@click.option(
    "--control-port",
    type=click.IntRange(1, 65535),
    help=f"The control API's port.  [default: PORT + {CONTROL_OFFSET}]",
)
@click.option(
    "--host",
    default=DEFAULTS.host,
    show_default=True,
    help="The address of the controllers and the control API.",
)
@click.option(
    "--controllers",
    type=click.IntRange(1),
    default=DEFAULTS.controllers,
    show_default=True,
    help="Number of controllers; the first one leads at the start.",
)
@click.option(
    "--apps",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Number of apps at the start.",
)
@click.option(
    "--instances",
    type=click.IntRange(0),
    default=DEFAULTS.instances,
    show_default=True,
    help="Number of instances of each app.",
)
@click.option(
    "--vhost",
    default=DEFAULTS.vhost,
    show_default=True,
    help="The vhost of each app; {name} is the app's name.",
)
@click.option(
    "--addresses",
    is_flag=True,
    help="Instances are addresses only, and nothing listens there: for large clusters.",
)
@click.option(
    "--executor",
    "executors",
    multiple=True,
    help="Host name or address of an executor, where instances listen. Repeatable.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    callback=parse_tags,
    metavar="KEY=VALUE",
    help="A tag of every app. Repeatable.",
)
@click.option(
    "--port-type",
    type=click.Choice(["HTTP", "HTTPS", "TCP", "UDP"]),
    default=DEFAULTS.port_type,
    show_default=True,
    help="The port type in /endpoints.",
)
@click.option("--user", help="Controllers require this user, with --password.")
@click.option("--password", default="", help="The user's password.")
@click.option("--token", help="Controllers require this Authorization value, or the user.")
@click.option(
    "--wait-before-kill",
    type=click.FloatRange(0),
    default=DEFAULTS.wait_before_kill,
    show_default=True,
    help="Seconds between removal from the list and the end of an instance.",
)
@click.option(
    "--healthy-after",
    type=click.FloatRange(0),
    default=DEFAULTS.healthy_after,
    show_default=True,
    help="Seconds until a new instance is healthy.",
)
@click.option(
    "--election",
    type=click.FloatRange(0),
    default=DEFAULTS.election,
    show_default=True,
    help="Seconds without a leader after the leader was stopped.",
)
@click.option(
    "--recovering",
    callback=parse_recovering,
    default=f"{DEFAULTS.recovering:g}",
    show_default=True,
    metavar="real|SECONDS",
    help="Seconds during which a new leader lists nothing, then whole apps one by one; "
    f"real leaders take {REAL_SECONDS:g}.",
)
@click.option(
    "--killed",
    "graceful",
    flag_value=False,
    default=True,
    help="Instances that stop are killed and do not finish their requests.",
)
@click.option(
    "--no-app-filter",
    "app_filter",
    flag_value=False,
    default=True,
    help="Controllers ignore ?app= and return all apps, as old ones do.",
)
@click.option(
    "--clock-skew",
    "clock_skews",
    type=float,
    multiple=True,
    metavar="SECONDS",
    help="How far the first controller's clock is ahead. Repeat it for the next controllers.",
)
def simulate(port: int, control_port: int | None, addresses: bool, **given: object) -> None:
    """Run a simulated Drove cluster, to work on templates and for tests.

    Controllers respond like real ones, and instances are small HTTP servers. A control API deploys,
    scales and kills, changes the leader and corrupts responses. The cluster runs until SIGINT or
    SIGTERM.
    """
    options = Options(
        port=port,
        control_port=control_port or port + CONTROL_OFFSET,
        real=not addresses,
        **given,  # type: ignore[arg-type]
    )
    try:
        asyncio.run(serve(options))
    except SimulatorError as error:
        raise click.ClickException(str(error)) from error


async def serve(options: Options) -> None:
    """Run the cluster until a signal ends it."""
    over = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with Simulator(options) as simulator:
        for line in description(simulator):
            click.echo(line)
        await over.wait()
    click.echo("The simulated cluster has ended.")


def description(simulator: Simulator) -> Iterator[str]:
    """Lines about what runs where, and what to try."""
    options, control = simulator.options, simulator.control.url
    yield "A simulated Drove cluster is running."
    yield ""
    for number, url in enumerate(simulator.urls):
        yield f"  controller {number}  {url}" + ("  leads" if number == simulator.leader else "")
    kind = "instances that respond" if options.real else "instances that are addresses only"
    yield f"  control API   {control}"
    yield f"  apps          {options.apps}, each with {options.instances} {kind}"
    for app in list(simulator.cluster.apps.values())[:10]:
        hosts = ", ".join(f"{each.executor.hostname}:{each.port}" for each in app.hosts()[:3])
        yield f"  {app.app_id:<12}  {app.vhost}: {hosts}"
    yield ""
    yield "Try:"
    access = " -u USER:PASSWORD" if options.user else ""
    access = access or (' -H "Authorization: TOKEN"' if options.token else "")
    yield f"  curl{access} {simulator.urls[0]}/apis/v1/endpoints"
    yield f"""  curl {control}/deploy -d '{{"name": "web", "instances": 3}}\'"""
    yield f"""  curl {control}/scale -d '{{"app": "web", "instances": 5}}\'"""
    yield f"""  curl {control}/kill-instance -d '{{"app": "web"}}\'"""
    yield f"""  curl {control}/stop-controller -d '{{"controller": 0}}\'"""
    yield f"""  curl {control}/fault -d '{{"kind": "empty", "route": "endpoints", "times": 3}}\'"""
    yield f"  curl {control}/        all commands"
    yield f"  curl {control}/state   the whole state"
    yield ""
    yield "Ctrl-C ends it."
