"""docs/container.md says what the code does."""

import re
from pathlib import Path

from tests.container.dockerfile import FILE, PROJECT, stages

from drove_gateway.config import environment
from drove_gateway.container import restarts
from drove_gateway.container import setup as asked
from drove_gateway.container.setup import Choice, container_setup
from drove_gateway.proxies.local import ContainerPlace
from drove_gateway.proxies.registry import CONTAINERS
from drove_gateway.templates import shipped

PAGE = (PROJECT / "docs/container.md").read_text()
ROWS = {
    name: (default, meaning)
    for name, default, meaning in re.findall(
        r"^\| `([A-Z0-9_]+)` \|\s*(.*?)\s*\| (.*) \|$", PAGE, re.MULTILINE
    )
}
PLACE = ContainerPlace(
    Path("/run/drove-gateway"), Path("/var/lib/drove-gateway"), root=False, stdout=True
)
CLUSTER = {"DROVE_CONTROLLERS": "http://controller1:4000"}


def test_every_variable_has_its_row() -> None:
    templates = "".join(shipped(name) for name in CONTAINERS)
    used = set(re.findall(r'(?:getenv "|\.Vars\.)(\w+)', templates))
    own = {asked.CONFIG, asked.PLATFORM, asked.LISTEN, asked.STOP_TIMEOUT, "TZ"}
    assert set(ROWS) == {*environment.VARIABLES, *used, *own}


def test_the_defaults_are_those_of_the_code() -> None:
    choices = {name: Choice(runs, "") for name, runs in CONTAINERS.items()}
    environ = container_setup(CLUSTER, PLACE, choices).environ
    expected = {
        **{name: value for name, value in environ.items() if name not in CLUSTER},
        **{environment_name(key): str(value) for key, value in environment.DEFAULTS.items()},
        asked.LISTEN: asked.DEFAULT_LISTEN,
        asked.STOP_TIMEOUT: asked.DEFAULT_STOP_TIMEOUT,
    }
    shown = {name: ROWS[name][0].split(";")[0].strip("`") for name in expected}
    assert shown == expected


def environment_name(key: str) -> str:
    return next(name for name, sets in environment.KEYS.items() if sets == key)


def test_ports_paths_and_limits_are_those_of_the_code() -> None:
    final = stages(FILE.read_text())[-1]
    for port in final.only("EXPOSE").value.split():
        assert f"\n| {port} | " in PAGE
    assert f"`{final.only('VOLUME').value}`" in PAGE
    assert f"user {final.only('USER').value.partition(':')[0]}" in PAGE
    assert f"within {restarts.QUICK_SECONDS:g} s" in PAGE


def test_the_docker_lines_are_those_of_the_original() -> None:
    first, second = re.findall(r"```text\n(docker run.*?)```", PAGE, re.DOTALL)
    for name in ("DROVE_CONTROLLERS", "TZ", "DROVE_USERNAME", "DROVE_PASSWORD"):
        assert f"-e {name}=" in first
    assert "gwconfigs:/etc/drove/gateway:ro" in second
