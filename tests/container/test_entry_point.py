"""The entry point as a program, with the real proxies."""

import asyncio
import signal
from pathlib import Path

import pytest
from tests.container.stage import LEADER_VHOST, Container, children, environment, kill
from tests.proxies.nginx.lua.rig import lua_program
from tests.traffic import Traffic, get
from tests.waiting import until

from drove_gateway.templates import shipped

# Where the proxy makes no difference.
only_nginx = pytest.mark.parametrize("made", ["nginx"], indirect=True)
only_lua = pytest.mark.parametrize("made", ["nginx-lua"], indirect=True)
only_haproxy = pytest.mark.parametrize("made", ["haproxy"], indirect=True)


async def test_the_environment_alone_is_enough(running: Container) -> None:
    assert '"app": "web"' in await running.answers("web.test")
    assert "pong" in await running.answers(LEADER_VHOST, path="/apis/v1/ping")
    await running.answers("unknown.test", 404)


async def test_no_port_is_open_before_the_first_response_of_drove(made: Container) -> None:
    await made.start(DROVE_CONTROLLERS="http://127.0.0.1:1")
    await made.says("the HTTP API is listening")
    with pytest.raises(ConnectionRefusedError):
        await get(made.port, "web.test")


@only_lua
async def test_nginx_with_lua_is_driven_over_its_socket(made: Container) -> None:
    lua_program()
    await made.start(NGINX_TEMP=str(made.directory))
    assert '"app": "web"' in await made.answers("web.test")
    await made.says("event=runtime_api_back")
    assert (made.directory / "run/nginx-api.sock").is_socket()


@only_nginx
async def test_without_controllers_it_says_what_to_do_and_ends(made: Container) -> None:
    await made.start(DROVE_CONTROLLERS="")
    assert await made.ended() == 1
    assert made.log.startswith("error: DROVE_CONTROLLERS is not set")
    assert len(made.output) == 1


async def test_the_password_stays_out_of_arguments_files_logs_and_the_proxy(
    made: Container,
) -> None:
    await made.start(DROVE_PASSWORD="s3cret-word")
    await made.answers("web.test")
    listed = Path(f"/proc/{made.gateway}/cmdline").read_text()
    written = [path.read_text() for path in (made.directory / "run").iterdir() if path.is_file()]
    assert "s3cret-word" not in "".join([listed, made.log, *written])
    assert environment(made.gateway)["DROVE_PASSWORD"] == "s3cret-word"
    assert "DROVE_PASSWORD" not in environment(made.proxy)


async def test_the_original_image_s_mounted_files_work(running: Container) -> None:
    """A TOML file and a template that are mounted; the template named in the file is not there."""
    running.signal(signal.SIGTERM)
    assert await running.ended() == 0

    mounted = running.directory / "mounted"
    mounted.mkdir()
    generated = (running.directory / "run/nixy.toml").read_text()
    platform = running.platform
    urls = ", ".join(f'"{url}"' for url in running.cluster.urls)
    (mounted / "gateway.toml").write_text(
        generated.replace(f"/{platform}.tmpl", "/nowhere.tmpl")
        + f'[[namespaces]]\nname = "main"\ndrove = [{urls}]\n'
    )
    template = shipped(platform).replace("no such vhost here", "not with my template")
    (mounted / "my.tmpl").write_text(template)
    for path in mounted.iterdir():
        path.chmod(0o444)
    await running.start(
        DROVE_CONTROLLERS="",
        NGINX_DROVE_VHOST="",
        CONFIG_FILE_PATH=f"{mounted}/gateway.toml",
        TEMPLATE_FILE_PATH=f"{mounted}/my.tmpl",
    )
    await running.answers("web.test")
    assert "not with my template" in await running.answers("unknown.test", 404)
    await running.answers(LEADER_VHOST, 404)


@only_nginx
async def test_a_template_with_an_error_is_reported_with_its_line(made: Container) -> None:
    template = made.directory / "broken.tmpl"
    template.write_text("one\ntwo {{ .Nothing }}\n")
    await made.start(TEMPLATE_FILE_PATH=str(template))
    assert await made.ended() == 1
    assert "broken.tmpl:2" in made.log


async def test_the_other_proxy_s_image_is_reported(made: Container) -> None:
    other = "haproxy" if made.platform == "nginx" else "nginx"
    await made.start(PROXY_PLATFORM=other, PATH=f"{made.directory}/bin")
    assert await made.ended() == 1
    assert f"the program '{other}' is missing in this container" in made.log


async def test_a_proxy_that_crashed_is_back(running: Container) -> None:
    crashed = running.proxy
    kill(crashed)
    await running.says("by SIGKILL", "SIGUSR2: bringing the restarted proxy up to date")
    await running.answers("web.test")
    assert running.proxy != crashed

    await running.cluster.deploy("shop", instances=1)
    await running.answers("shop.test")


@only_haproxy
async def test_a_reload_leaves_only_news_in_the_log(running: Container) -> None:
    await running.cluster.deploy("shop", instances=1)
    await running.answers("shop.test")
    await running.says("Reloading HAProxy", "exited with code 0")
    running.signal(signal.SIGTERM)
    assert await running.ended() == 0

    assert "stopped (cumulated" not in running.log


async def test_a_gateway_that_crashed_is_back_and_no_request_fails(running: Container) -> None:
    load = Traffic(running.port, ["web.test"], clients=2, pause=0.005)
    async with load.running() as tally:
        await load.answered(20)
        kill(running.gateway)
        await running.says("event=process_restarts", 'process="the gateway"')
        await running.cluster.deploy("shop", instances=1)
        await running.answers("shop.test")
        await load.answered(20)
    assert tally.failures == []


async def test_a_request_under_way_finishes_before_the_end(running: Container) -> None:
    await ends_after_a_request(running, signal.SIGTERM)


@only_nginx
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
async def test_other_signals_that_mean_the_same(running: Container, number: signal.Signals) -> None:
    await ends_after_a_request(running, number)


async def ends_after_a_request(running: Container, number: signal.Signals) -> None:
    before = requests(running)
    slow = asyncio.create_task(get(running.port, "web.test", "/?delay=1.5"))
    await until(lambda: requests(running) > before)
    running.signal(number)

    assert await running.ended() == 0
    status, body = await slow
    assert status == 200
    assert '"app": "web"' in body
    assert "stopped" in running.output[-1]


@only_nginx
async def test_a_request_that_takes_too_long_does_not_stop_the_end(made: Container) -> None:
    await made.start(STOP_TIMEOUT_SEC="1")
    await made.answers("web.test")
    before = requests(made)
    slow = asyncio.create_task(get(made.port, "web.test", "/?delay=300"))
    await until(lambda: requests(made) > before)
    made.signal(signal.SIGTERM)

    assert await made.ended() == 0
    assert "its remaining requests are aborted" in made.log
    slow.cancel()


@only_nginx
async def test_a_second_signal_ends_it_fast(made: Container) -> None:
    await made.start(STOP_TIMEOUT_SEC="600")
    await made.answers("web.test")
    before = requests(made)
    slow = asyncio.create_task(get(made.port, "web.test", "/?delay=600"))
    await until(lambda: requests(made) > before)
    made.signal(signal.SIGTERM)
    await made.says("signal=SIGTERM")
    made.signal(signal.SIGTERM)

    assert await made.ended() == 0
    slow.cancel()


async def test_sighup_reads_the_configuration_again(running: Container) -> None:
    running.signal(signal.SIGHUP)
    await running.says("SIGHUP: the configuration is unchanged")


@only_nginx
async def test_sigusr1_opens_log_files_again(made: Container) -> None:
    log = made.directory / "access.log"
    await made.start(NGINX_ACCESS_LOG=f"{log} upstream")
    await made.answers("web.test")
    log.touch()
    log.rename(made.directory / "access.log.1")
    made.signal(signal.SIGUSR1)

    async def opened_again() -> bool:
        await made.answers("web.test")
        return log.exists()

    await until(opened_again)


async def test_logs_are_streamed_and_no_file_grows(running: Container) -> None:
    await running.says("event=process_started", "event=applied")
    line = '"GET / HTTP/1.1" 200' if running.platform == "nginx" else "drove:clients web.test"
    await running.says(line)
    assert list(running.directory.rglob("*.log")) == []


@only_nginx
async def test_what_does_not_get_going_ends_the_container(made: Container) -> None:
    script = made.directory / "bin" / made.platform
    script.write_text('#!/bin/sh\n[ "$1" = -v ] || echo "no way" >&2\nexit 3\n')
    await made.start()
    assert await made.ended() == 1
    assert "ended 8 times within 10 s of its start, the last time with exit code 3" in made.log
    assert "no way" in made.log


async def test_health_is_whether_the_gateway_responses(running: Container) -> None:
    code, output = await running.health()
    assert (code, output[:24]) == (0, "the gateway answers: 200")

    for number in range(3):
        await running.cluster.stop_controller(number)

    async def unwell() -> bool:
        code, output = await running.health()
        assert code == 0, output
        return output.startswith("the gateway answers: 500")

    await until(unwell)

    (running.directory / "run/nixy.toml").write_text("somebody is editing it")
    assert await unwell()

    running.signal(signal.SIGTERM)
    assert await running.ended() == 0
    code, output = await running.health()
    assert (code, output[:36]) == (1, "error: the gateway does not answer at"[:36])


async def test_no_worker_is_left_behind(running: Container) -> None:
    everyone = [running.proxy, running.gateway, *children(running.proxy)]
    running.signal(signal.SIGTERM)
    assert await running.ended() == 0
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in everyone))


def requests(place: Container) -> int:
    """How many requests reached the instances."""
    return sum(server.requests for server in place.cluster.fleet.servers.values())
