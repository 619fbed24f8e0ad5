"""The daemon's life: signals, its own API, configuration from files and from the environment."""

import asyncio
import signal
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.stage import KINDS, Site, holds, played, status_of
from tests.waiting import until

TLS = Path(__file__).parents[1] / "drove" / "tls"


def nixy(place: Site) -> Path:
    return place.directory / "nixy.toml"


def said(place: Site, words: str) -> bool:
    """Whether the daemon's log has these words."""
    return any(words in line for line in place.log)


async def ended(place: Site, number: signal.Signals = signal.SIGTERM) -> int:
    """Send the signal and wait for the daemon's end, however busy the machine is."""
    assert place.daemon is not None
    place.signal(number)
    await place.daemon.wait()
    return await place.end()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_clean_and_leaves_the_traffic(
    short_path: Path, kind: str, number: signal.Signals
) -> None:
    async with played(kind, short_path) as place:
        async with place.traffic():
            assert await ended(place, number) == 0
            await place.serves("web", "api")
        assert said(place, "stopped; traffic is unaffected")
        assert not said(place, "Traceback")
        assert [path.name for path in short_path.glob(".*tmp*")] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_start_beside_a_serving_proxy_reloads_nothing(
    short_path: Path, kind: str
) -> None:
    async with played(kind, short_path) as place:
        async with place.traffic():
            assert await ended(place) == 0
            written = place.config.stat().st_mtime_ns
            await place.start()
            await place.healthy()
            await holds(place, "/v1/status", lambda seen: seen["reconciler"]["state"] == "idle")
        assert place.config.stat().st_mtime_ns == written
        first = (await status_of(place))["history"][-1]
        assert "keep" in [step["action"] for step in first["steps"]]
        await place.cluster.scale("web", 4)
        await place.serves("web")


async def test_what_changed_while_the_daemon_was_away_is_caught_up(short_path: Path) -> None:
    async with played("nginx", short_path) as place, place.traffic("api.test"):
        await place.kill()
        await place.cluster.scale("web", 5)
        await place.cluster.deploy("shop", instances=1)
        await place.start()
        await place.serves("web", "api", "shop")


class TestSighup:
    async def test_a_changed_configuration_is_used(self, short_path: Path) -> None:
        async with played("nginx", short_path) as place:
            text = nixy(place).read_text()
            async with place.traffic():
                nixy(place).write_text(text.replace('xproxy = "site"', 'xproxy = "other"'))
                place.signal(signal.SIGHUP)
                await until(lambda: 'X-Proxy "other"' in place.config.read_text())
                seen = await holds(
                    place, "/v1/config", lambda seen: seen["StaticData"]["Xproxy"] == "other"
                )
                assert seen["Settings"]["xproxy"] == "other"
            await place.cluster.scale("web", 4)
            await place.serves("web")
            await place.healthy()

    @pytest.mark.parametrize(
        ("mistake", "words"),
        [
            pytest.param("api_timout = 5\nxproxy = 7\n", "xproxy", id="a bad value"),
            pytest.param("= broken\n", "not valid TOML", id="no TOML"),
        ],
    )
    async def test_a_broken_configuration_is_told_and_the_old_one_goes_on(
        self, short_path: Path, mistake: str, words: str
    ) -> None:
        async with played("nginx", short_path) as place:
            text = nixy(place).read_text()
            async with place.traffic():
                nixy(place).write_text(mistake + text.replace('xproxy = "site"\n', ""))
                place.signal(signal.SIGHUP)
                await until(lambda: said(place, "keeping the previous configuration"))
                assert said(place, words)
                await place.cluster.scale("web", 4)
                await place.serves("web")
            await place.healthy()

    async def test_an_api_that_cannot_listen_any_more_does_not_end_the_daemon(
        self, short_path: Path
    ) -> None:
        async with played("nginx", short_path) as place:
            text = nixy(place).read_text()
            mine = place.api.rpartition(":")[2]
            async with place.traffic():
                nixy(place).write_text(text.replace(f"port = {mine}", f"port = {place.edge.port}"))
                place.signal(signal.SIGHUP)
                await until(lambda: said(place, "keeping the previous configuration"))
                await place.healthy()
                await place.cluster.scale("web", 4)
                await place.serves("web")

    async def test_without_a_change_everything_is_asked_again(self, short_path: Path) -> None:
        async with played("nginx", short_path) as place:
            place.signal(signal.SIGHUP)
            seen = await holds(
                place, "/v1/status", lambda seen: "SIGHUP" in seen["history"][0]["triggers"]
            )
            assert [step["action"] for step in seen["history"][0]["steps"]] == ["keep"]


class TestTheApi:
    async def test_reload_asks_and_applies_again(self, short_path: Path) -> None:
        async with played("nginx", short_path) as place, aiohttp.ClientSession() as session:
            async with session.post(f"{place.api}/v1/reload") as response:
                assert (response.status, (await response.text()).strip()) == (202, "queued")
            seen = await holds(
                place, "/v1/status", lambda seen: "/v1/reload" in seen["history"][0]["triggers"]
            )
            assert seen["history"][0]["error"] == ""

    async def test_config_and_metrics_tell_what_is_served(self, short_path: Path) -> None:
        async with played("nginx", short_path) as place, aiohttp.ClientSession() as session:
            config = await status_of(place, "/v1/config")
            assert config["LastKnownVhosts"] == {"Vhosts": {"api.test": True, "web.test": True}}
            assert config["LastReloadTimestamp"] > "2020"
            async with session.get(f"{place.api}/v1/metrics") as response:
                metrics = await response.text()
            for line in (
                "drove_gateway_reloads_successful 1",
                "drove_gateway_config_generation_healthy 1",
                'drove_gateway_healthy_endpoints_total{namespace="main"} 1',
                'drove_gateway_configured_endpoints_total{namespace="main"} 3',
                'drove_gateway_apps_without_routing_tag_total{namespace="main"} 2',
            ):
                assert f"\n{line}\n" in metrics, line

    async def test_it_speaks_tls(self, short_path: Path) -> None:
        keys = (
            f'port_use_tls = true\nport_tls_certfile = "{TLS}/server.pem"\n'
            f'port_tls_keyfile = "{TLS}/server.key"\n'
        )
        trusted = ssl.create_default_context(cafile=str(TLS / "ca.pem"))
        async with played("nginx", short_path) as place:
            await ended(place)
            nixy(place).write_text(keys + nixy(place).read_text())
            await place.start()
            url = place.api.replace("http:", "https:") + "/v1/health"

            async def answers() -> bool:
                try:
                    async with (
                        aiohttp.ClientSession() as session,
                        session.get(url, ssl=trusted) as response,
                    ):
                        return response.status == 200
                except aiohttp.ClientConnectorError:
                    return False

            await until(answers)
            assert (await place.health())["status"] == 0


class TestTheStart:
    async def start(self, *arguments: str, directory: Path, **environ: str) -> tuple[int, str]:
        """Run the program to its end: exit code and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "drove_gateway", *arguments),
            cwd=directory,
            env={"PATH": "/usr/bin:/bin", **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed.decode()

    async def test_a_port_that_is_taken_is_said_in_a_sentence(self, short_path: Path) -> None:
        async with played("nginx", short_path) as place:
            code, printed = await self.start("-f", str(nixy(place)), directory=short_path)
            port = place.api.rpartition(":")[2]
        assert code == 1
        assert f"error: cannot listen on address = '127.0.0.1', port = {port}" in printed
        assert "Traceback" not in printed

    async def test_without_any_controller_it_waits_and_leaves_the_proxy_alone(
        self, short_path: Path
    ) -> None:
        async with played("nginx", short_path) as place:
            async with place.traffic():
                await ended(place)
                for number in range(3):
                    await place.cluster.stop_controller(number, elect=False)
                await place.start()
                health = await place.says("All endpoints are down")
                assert health["status"] == 500
                await place.serves("web", "api")
                for number in range(3):
                    await place.cluster.start_controller(number)
                await place.healthy()
            await place.cluster.scale("web", 4)
            await place.serves("web")

    async def test_the_environment_alone_is_a_complete_configuration(
        self, short_path: Path
    ) -> None:
        """Files and commands are then at their defaults, relative to the working directory."""
        async with played("nginx", short_path) as place:
            await ended(place)
            home = short_path / "home"
            home.mkdir()
            (home / "nginx-header.tmpl").write_text(place.template.read_text())
            (home / "nginx").write_text(f'#!/bin/sh\nexec {short_path}/wrapper -p {home} "$@"\n')
            (home / "nginx").chmod(0o755)
            environ = {
                "PATH": f"{home}:/usr/bin:/bin",
                "DROVE_CONTROLLERS": ",".join(place.cluster.urls),
                "DROVE_CLUSTER_NAME": "main",
                "NGINX_DROVE_VHOST": "leader.test",
                **place.edge.environ,
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "drove_gateway"),
                cwd=home,
                env=environ,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            written = home / "nginx-test.conf"
            await until(written.exists)
            process.terminate()
            printed, _ = await process.communicate()
            assert process.returncode == 0, printed
            text = written.read_text()
        assert "server_name web.test;" in text
        assert "server_name leader.test;" in text
