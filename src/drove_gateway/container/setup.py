"""What the container's environment asks for: a configuration file, and the processes' variables.

Either CONFIG_FILE_PATH names a mounted file, or DROVE_CONTROLLERS stands for one. Then the general
keys are generated; what Drove wants of a user stays in the environment, so no secret is written.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec

from drove_gateway.config.draft import quoted
from drove_gateway.config.environment import CONTROLLERS, TEMPLATE
from drove_gateway.model.errors import ConfigError

CONFIG = "CONFIG_FILE_PATH"
PLATFORM = "PROXY_PLATFORM"
LISTEN = "GATEWAY_LISTEN"
STOP_TIMEOUT = "STOP_TIMEOUT_SEC"

PLATFORMS = ("nginx", "haproxy")
HTTP_PORT = "7000"
DEFAULT_LISTEN = "0.0.0.0:6000"
DEFAULT_STOP_TIMEOUT = "8"

_SECRETS = ("DROVE_USERNAME", "DROVE_PASSWORD")

_NEITHER = (
    f"{CONTROLLERS} is not set. Set it to the URLs of all controllers, separated by commas, as in "
    f"-e {CONTROLLERS}=http://controller1:4000,http://controller2:4000; or mount a configuration "
    f"file and set {CONFIG} to its path"
)


class ContainerContext(msgspec.Struct, frozen=True):
    """What differs between containers. `directory` is for files of this run, `state` for those
    that should outlive it; `root` tells who we are, `stdout` whether it can be opened by name."""

    directory: Path
    state: Path
    root: bool
    stdout: bool


class ContainerSetup(msgspec.Struct, frozen=True):
    """The configuration file, the files to write first, and the gateway's environment.

    `stop_timeout` is how many seconds running requests may take to finish at the end.
    """

    file: Path
    generated: Mapping[Path, str]
    environ: Mapping[str, str]
    stop_timeout: float

    @property
    def proxy_environ(self) -> Mapping[str, str]:
        """The proxy's environment: the gateway's without what it logs in to Drove with."""
        return {name: value for name, value in self.environ.items() if name not in _SECRETS}


def container_setup(
    environ: Mapping[str, str], place: ContainerContext, templates: Mapping[str, str]
) -> ContainerSetup:
    """What `environ` asks for; `templates` are the shipped ones of `PLATFORMS`.

    An empty variable counts as unset. Raises ConfigError with a line for each problem.
    """
    given = {name: value for name, value in environ.items() if value}
    problems: list[str] = []
    timeout = _seconds(given.get(STOP_TIMEOUT, DEFAULT_STOP_TIMEOUT), problems)
    file = Path(given.get(CONFIG, place.directory / "nixy.toml"))
    generated: Mapping[Path, str] = {}
    if CONFIG not in given:
        generated = _generated(given, place, templates, file, problems)
    if problems:
        raise ConfigError(tuple(problems))
    return ContainerSetup(file, generated, {**_defaults(place), **given}, timeout)


def _generated(
    given: Mapping[str, str],
    place: ContainerContext,
    templates: Mapping[str, str],
    file: Path,
    problems: list[str],
) -> Mapping[Path, str]:
    if CONTROLLERS not in given:
        problems.append(_NEITHER)
    platform = given.get(PLATFORM, PLATFORMS[0])
    if platform not in PLATFORMS:
        problems.append(f"{PLATFORM} = {quoted(platform)}: must be nginx or haproxy")
        return {}
    template = place.directory / f"{platform}.tmpl"
    address, port = _address(given.get(LISTEN, DEFAULT_LISTEN), problems)
    values = {
        "address": address,
        "port": port,
        "proxy_platform": platform,
        "state_persistence_dir": str(place.state),
        **(_haproxy if platform == "haproxy" else _nginx)(place.directory, template),
    }
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    text = "# Made by `drove-gateway container` from its environment at each start.\n"
    shipped = {} if TEMPLATE in given else {template: templates[platform]}
    return {file: text + "".join(lines), **shipped}


def _nginx(directory: Path, template: Path) -> Mapping[str, str]:
    config = directory / "nginx.conf"
    return {
        "nginx_config": str(config),
        "nginx_template": str(template),
        # `-s reload` reads where the master's pid is from the file that it is given.
        "nginx_cmd": f"nginx -c {config}",
    }


def _haproxy(directory: Path, template: Path) -> Mapping[str, str]:
    return {
        "haproxy_config": str(directory / "haproxy.cfg"),
        "haproxy_template": str(template),
        "haproxysocketaddr": str(directory / "admin.sock"),
        "haproxy_master_socket": str(directory / "master.sock"),
    }


def _defaults(place: ContainerContext) -> Mapping[str, str]:
    """What the shipped templates ask for, where the user does not say otherwise."""
    users = {} if place.root else {"NGINX_USER": "none", "HAPROXY_USER": "none"}
    return {
        "PROXY_HTTP_PORT": HTTP_PORT,
        "NGINX_PID": str(place.directory / "nginx.pid"),
        "NGINX_ERROR_LOG": "stderr warn",
        "NGINX_ACCESS_LOG": "/dev/stdout upstream" if place.stdout else "off",
        "HAPROXY_LOG": "stdout format raw local0 info",
        **users,
    }


def _address(text: str, problems: list[str]) -> tuple[str, str]:
    address, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        problems.append(f"{LISTEN} = {quoted(text)}: must be ADDRESS:PORT, such as 127.0.0.1:6000")
    return address.strip("[]") or "0.0.0.0", port  # noqa: S104


def _seconds(text: str, problems: list[str]) -> float:
    if text.isascii() and text.isdigit() and len(text) < 6:
        return float(text)
    problems.append(f"{STOP_TIMEOUT} = {quoted(text)}: must be a whole number of seconds")
    return 0.0
