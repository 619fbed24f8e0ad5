"""`drove-gateway simulate` runs a simulated Drove cluster alone."""

import asyncio
import signal
from collections.abc import Iterator, Mapping

import click

from drove_gateway.cli.command import Command
from drove_gateway.simulator import Options, Simulator, SimulatorError

DEFAULTS = Options()
CONTROL_OFFSET = 100


def parse_tags(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> Mapping[str, str] | None:
    """KEY=VALUE, repeated, to a mapping."""
    for value in values:
        if "=" not in value:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE")
    return dict(value.split("=", 1) for value in values) or None


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway simulate", "Three controllers at port 4000 and on, three apps."),
        (
            "drove-gateway simulate --apps 1000 --instances 10 --addresses",
            "A large cluster, of addresses where nothing listens.",
        ),
        (
            "drove-gateway simulate --tag env=blue --vhost '{name}.example.com'",
            "Apps for a template with host groups.",
        ),
        (
            """curl localhost:4100/scale -d '{"app": "app1", "instances": 5}'""",
            "Change something, by the control API.",
        ),
    ),
    exit_codes={0: "A signal ended it.", 1: "A port cannot be had."},
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
    help="The address that controllers and the control API listen on.",
)
@click.option(
    "--controllers",
    type=click.IntRange(1),
    default=DEFAULTS.controllers,
    show_default=True,
    help="How many; the first leads at the start.",
)
@click.option(
    "--apps",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="How many apps run at the start.",
)
@click.option(
    "--instances",
    type=click.IntRange(0),
    default=DEFAULTS.instances,
    show_default=True,
    help="How many instances each app has.",
)
@click.option(
    "--vhost",
    default=DEFAULTS.vhost,
    show_default=True,
    help="The apps' vhost; {name} is the app's name.",
)
@click.option(
    "--addresses",
    is_flag=True,
    help="Instances are addresses only, where nothing listens: for size.",
)
@click.option(
    "--executor",
    "executors",
    multiple=True,
    help="An executor's host name or address; repeat it. Real instances listen there.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    callback=parse_tags,
    metavar="KEY=VALUE",
    help="A tag of every app; repeat it.",
)
@click.option(
    "--port-type",
    type=click.Choice(["HTTP", "HTTPS", "TCP", "UDP"]),
    default=DEFAULTS.port_type,
    show_default=True,
    help="What /endpoints says of ports.",
)
@click.option("--user", help="Controllers want this user, with --password.")
@click.option("--password", default="", help="The user's password.")
@click.option("--token", help="Controllers want this Authorization value, or the user.")
@click.option(
    "--wait-before-kill",
    type=click.FloatRange(0),
    default=DEFAULTS.wait_before_kill,
    show_default=True,
    help="Seconds from leaving the list to the instance's end.",
)
@click.option(
    "--healthy-after",
    type=click.FloatRange(0),
    default=DEFAULTS.healthy_after,
    show_default=True,
    help="Seconds that an instance takes to become healthy.",
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
    type=click.FloatRange(0),
    default=DEFAULTS.recovering,
    show_default=True,
    help="Seconds in which a new leader does not know all apps.",
)
@click.option(
    "--clock-skew",
    "clock_skews",
    type=float,
    multiple=True,
    metavar="SECONDS",
    help="What the first controller's clock is ahead; repeat it for the next ones.",
)
def simulate(port: int, control_port: int | None, addresses: bool, **given: object) -> None:
    """Run a simulated Drove cluster, for work on templates and for tests.

    Controllers answer as real ones do, and instances are small HTTP servers. A control API
    deploys, scales, kills, moves leadership and spoils answers. It runs until SIGINT or SIGTERM.
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
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    async with Simulator(options) as simulator:
        for line in description(simulator):
            click.echo(line)
        await over.wait()
    click.echo("The simulated cluster has ended.")


def description(simulator: Simulator) -> Iterator[str]:
    """What runs where, and what to try."""
    options, control = simulator.options, simulator.control.url
    yield "A simulated Drove cluster is running."
    yield ""
    for number, url in enumerate(simulator.urls):
        yield f"  controller {number}  {url}" + ("  leads" if number == simulator.leader else "")
    kind = "instances that answer" if options.real else "instances that are only addresses"
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
    yield f"  curl {control}/state   everything there is"
    yield ""
    yield "Ctrl-C ends it."
