"""The image as it would be built, run as an engine would run it."""

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest
from tests.container.image.engine import Running, run
from tests.container.stage import children, command_line
from tests.traffic import get
from tests.waiting import until

from drove_gateway.container.restarts import QUICK_SECONDS
from drove_gateway.simulator import Simulator
from drove_gateway.templates import shipped

pytestmark = pytest.mark.xdist_group("the ports of the image")

# The original's file and template, except for the controllers and what concerns a single vhost.
ORIGINAL_FILE = """
address = "0.0.0.0"
port = "6000"
xproxy = ""
event_refresh_interval_sec = 5
nginx_config = "/etc/nginx/nginx.conf"
nginx_template = "./nginx.tmpl"
nginx_cmd = "nginx"
nginx_ignore_check = false
maxfailsupstream = 0
failtimeoutupstream = "1s"
slowstartupstream = "0s"

[[namespaces]]
name = "stage1"
drove = [CONTROLLERS]
user = "guest"
pass = "guest"
leader_vhost = "drove.local"
"""
ORIGINAL_TEMPLATE = """# Generated {{datetime}}
user www-data;
worker_processes auto;
pid /run/nginx.pid;
events { worker_connections 512; }
http {
    access_log /var/log/nginx/access.log;
    error_log /var/log/nginx/error.log warn;
    server { listen 7000 default_server; server_name _; location / { return 503; } }
    {{- range $id, $app := .Apps}}
    upstream {{$app.Vhost}} {
        {{- range $app.Hosts}}
        server {{ .Host }}:{{ .Port }};
        {{- end}}
    }
    server {
        listen 7000;
        server_name {{$app.Vhost}};
        location / { proxy_pass http://{{$app.Vhost}}; }
    }
    {{- end}}
}
"""
HAPROXY_FILE = """
address = "0.0.0.0"
proxy_platform = "haproxy"
haproxysocketaddr = "/run/haproxy/admin.sock"
haproxy_master_socket = "/run/haproxy/master.sock"

[[namespaces]]
name = "stage1"
drove = [CONTROLLERS]
user = "guest"
pass = "guest"
"""


def first_line(cluster: Simulator) -> dict[str, str]:
    """The variables of the requirements' first `docker run`."""
    return {
        "DROVE_CONTROLLERS": ",".join(cluster.urls),
        "TZ": "Asia/Calcutta",
        "DROVE_USERNAME": "guest",
        "DROVE_PASSWORD": "guest",
        "DROVE_CLUSTER_NAME": "stage",
        "NGINX_DROVE_VHOST": "drove.local",
    }


async def answers(running: Running, vhost: str, status: int = 200, path: str = "/") -> str:
    """Wait until clients of `vhost` get this status on the image's port; gives the body."""
    response = (0, "nothing")

    async def so() -> bool:
        nonlocal response
        with contextlib.suppress(OSError):
            response = await get(7000, vhost, path)
        return response[0] == status

    try:
        await until(so, 60)
    except AssertionError as error:
        raise AssertionError(f"{vhost}: {response}\n{running.log[-5000:]}") from error
    return response[1]


@pytest.mark.parametrize("read_only", [False, True], ids=["writable", "read-only"])
async def test_the_first_docker_line(
    root: Path, platform: str, cluster: Simulator, read_only: bool
) -> None:
    async with run(root, platform, first_line(cluster), read_only=read_only) as running:
        assert '"app": "web"' in await answers(running, "web.test")
        assert "Credentials" in await answers(running, "drove.local", 401, "/apis/v1/ping")
        await until(gateway_is_well)
        await is_unprivileged(running.pid)

        code, output = await running.execute("drove-gateway", "container", "--health")
        assert (code, output[:24]) == (0, "the gateway answers: 200")
        code, output = await running.execute("date", "+%Z")
        assert (code, output) == (0, "IST\n")
        line = '"GET / HTTP/1.1" 200' if platform != "haproxy" else "drove:clients web.test"
        await running.says(line)
        assert await running.stop() == 0
    assert "guest" not in running.log


async def test_the_second_docker_line(
    root: Path, platform: str, cluster: Simulator, tmp_path: Path
) -> None:
    original = platform != "haproxy"
    urls = ", ".join(f'"{url}"' for url in cluster.urls)
    file = ORIGINAL_FILE if original else HAPROXY_FILE
    (tmp_path / "gateway.toml").write_text(file.replace("CONTROLLERS", urls))
    template = ORIGINAL_TEMPLATE if original else shipped("haproxy")
    (tmp_path / "proxy.tmpl").write_text(template)
    tmp_path.chmod(0o755)
    environ = {
        "CONFIG_FILE_PATH": "/etc/drove/gateway/gateway.toml",
        "TEMPLATE_FILE_PATH": "/etc/drove/gateway/proxy.tmpl",
    }
    volumes = {tmp_path: "/etc/drove/gateway"}
    async with run(root, platform, environ, volumes=volumes) as running:
        assert '"app": "web"' in await answers(running, "web.test")
        await answers(running, "unknown.test", 503 if original else 404)
        await cluster.scale("web", 3)
        await is_unprivileged(running.pid)
        assert await running.stop() == 0


async def test_a_proxy_that_ran_for_long_comes_back_with_what_it_had(
    root: Path, platform: str, cluster: Simulator
) -> None:
    async with run(root, platform, first_line(cluster)) as running:
        await answers(running, "web.test")
        await until(gateway_is_well)
        master, gateway = process_of(running, platform), process_of(running, "gateway")
        await until(lambda: age(master) > QUICK_SECONDS + 1)
        os.kill(gateway, signal.SIGSTOP)
        os.kill(master, signal.SIGKILL)
        await running.says("event=process_restarts")
        await answers(running, "web.test")

        os.kill(gateway, signal.SIGCONT)
        await running.says("SIGUSR2: bringing the restarted proxy up to date")
        await cluster.deploy("shop", instances=1)
        await answers(running, "shop.test")
        assert await running.stop() == 0


async def test_as_root_the_workers_are_another_user(
    root: Path, platform: str, cluster: Simulator
) -> None:
    async with run(root, platform, first_line(cluster), user="0:0") as running:
        await answers(running, "web.test")
        master = process_of(running, platform)
        assert user_of(master) == 0
        await until(lambda: all(user_of(pid) != 0 for pid in children(master)))
        assert await running.stop() == 0


async def test_any_user_will_do(root: Path, platform: str, cluster: Simulator) -> None:
    async with run(
        root, platform, first_line(cluster), user="54321:54321", read_only=True
    ) as running:
        await answers(running, "web.test")
        await until(gateway_is_well)
        assert await running.stop() == 0


async def test_without_controllers_it_ends_with_what_to_do(root: Path, platform: str) -> None:
    async with run(root, platform, {}) as running:
        assert await running.process.wait() == 1
    assert running.log.startswith("error: DROVE_CONTROLLERS is not set")


def process_of(running: Running, name: str) -> int:
    """The pid of the proxy or the gateway."""
    words = {"haproxy": "haproxy -W", "gateway": "drove_gateway -f"}.get(name, "nginx: master")
    (pid,) = (pid for pid in children(running.pid) if words in command_line(pid))
    return pid


def age(pid: int) -> float:
    """For how many seconds a process has run (proc(5), field 22)."""
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")


async def gateway_is_well() -> bool:
    status, _ = await get(6000, "localhost", "/v1/health")
    return status == 200


async def is_unprivileged(pid: int) -> None:
    """Process 1 and all that it started have no rights beyond those of their user."""
    for process in (pid, *children(pid)):
        assert user_of(process) == 10001
        status = Path(f"/proc/{process}/status").read_text()
        assert status.partition("CapEff:")[2].split()[0].strip("0") == ""


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid
