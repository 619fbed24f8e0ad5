"""The daemon's life: signals, its own API, configuration from files and from the environment."""

import asyncio
import signal
import ssl
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.benches.processes import KINDS, Bench, running_bench
from tests.waiting import until

TLS = Path(__file__).parents[1] / "drove" / "tls"


def nixy(bench: Bench) -> Path:
    return bench.directory / "nixy.toml"


def said(bench: Bench, words: str) -> bool:
    """Whether the daemon's log has these words."""
    return any(words in line for line in bench.daemon.log)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_clean_and_leaves_the_traffic(
    short_path: Path, kind: str, number: signal.Signals
) -> None:
    async with running_bench(kind, short_path) as bench:
        async with bench.traffic():
            assert await bench.ended(number) == 0
            await bench.serves("web", "api")
        assert said(bench, "event=gateway_stopped")
        assert not said(bench, "Traceback")
        assert [path.name for path in short_path.glob(".*tmp*")] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_start_beside_a_serving_proxy_reloads_nothing(
    short_path: Path, kind: str
) -> None:
    async with running_bench(kind, short_path) as bench:
        async with bench.traffic():
            assert await bench.ended(signal.SIGTERM) == 0
            written = bench.proxy.config.stat().st_mtime_ns
            await bench.daemon.start()
            await bench.healthy()
            await bench.reports("/v1/status", lambda seen: seen["reconciler"]["state"] == "idle")
        assert bench.proxy.config.stat().st_mtime_ns == written
        first = (await bench.status())["history"][-1]
        assert "keep" in [step["action"] for step in first["steps"]]
        await bench.cluster.scale("web", 4)
        await bench.serves("web")


async def test_what_changed_while_the_daemon_was_away_is_caught_up(short_path: Path) -> None:
    async with running_bench("nginx", short_path) as bench, bench.traffic("api.test"):
        await bench.daemon.kill()
        await bench.cluster.scale("web", 5)
        await bench.cluster.deploy("shop", instances=1)
        await bench.daemon.start()
        await bench.serves("web", "api", "shop")


class TestSighup:
    async def test_a_changed_configuration_is_used(self, short_path: Path) -> None:
        async with running_bench("nginx", short_path) as bench:
            text = nixy(bench).read_text()
            async with bench.traffic():
                nixy(bench).write_text(text.replace('xproxy = "site"', 'xproxy = "other"'))
                bench.daemon.signal(signal.SIGHUP)
                await until(lambda: 'X-Proxy "other"' in bench.proxy.config.read_text())
                seen = await bench.reports(
                    "/v1/config", lambda seen: seen["StaticData"]["Xproxy"] == "other"
                )
                assert seen["Settings"]["xproxy"] == "other"
            await bench.cluster.scale("web", 4)
            await bench.serves("web")
            await bench.healthy()

    @pytest.mark.parametrize(
        ("mistake", "words"),
        [
            pytest.param("api_timout = 5\nxproxy = 7\n", "xproxy", id="a bad value"),
            pytest.param("= broken\n", "not valid TOML", id="no TOML"),
        ],
    )
    async def test_a_broken_configuration_is_reported_and_the_old_one_stays_in_use(
        self, short_path: Path, mistake: str, words: str
    ) -> None:
        async with running_bench("nginx", short_path) as bench:
            text = nixy(bench).read_text()
            async with bench.traffic():
                nixy(bench).write_text(mistake + text.replace('xproxy = "site"\n', ""))
                bench.daemon.signal(signal.SIGHUP)
                await until(lambda: said(bench, "event=configuration_refused"))
                assert said(bench, words)
                await bench.cluster.scale("web", 4)
                await bench.serves("web")
            await bench.healthy()

    async def test_an_api_that_cannot_listen_any_more_does_not_end_the_daemon(
        self, short_path: Path
    ) -> None:
        async with running_bench("nginx", short_path) as bench:
            text = nixy(bench).read_text()
            mine = bench.daemon.api.rpartition(":")[2]
            async with bench.traffic():
                nixy(bench).write_text(text.replace(f"port = {mine}", f"port = {bench.proxy.port}"))
                bench.daemon.signal(signal.SIGHUP)
                await until(lambda: said(bench, "event=configuration_refused"))
                await bench.healthy()
                await bench.cluster.scale("web", 4)
                await bench.serves("web")

    async def test_without_a_change_everything_is_asked_again(self, short_path: Path) -> None:
        async with running_bench("nginx", short_path) as bench:
            bench.daemon.signal(signal.SIGHUP)
            seen = await bench.reports(
                "/v1/status", lambda seen: "SIGHUP" in seen["history"][0]["triggers"]
            )
            assert [step["action"] for step in seen["history"][0]["steps"]] == ["keep"]


class TestTheApi:
    async def test_reload_asks_and_applies_again(self, short_path: Path) -> None:
        async with running_bench("nginx", short_path) as bench, aiohttp.ClientSession() as session:
            async with session.post(f"{bench.daemon.api}/v1/reload") as response:
                assert (response.status, (await response.text()).strip()) == (202, "queued")
            seen = await bench.reports(
                "/v1/status", lambda seen: "/v1/reload" in seen["history"][0]["triggers"]
            )
            assert seen["history"][0]["error"] == ""

    async def test_config_and_metrics_tell_what_is_served(self, short_path: Path) -> None:
        async with running_bench("nginx", short_path) as bench, aiohttp.ClientSession() as session:
            config = await bench.status("/v1/config")
            assert config["LastKnownVhosts"] == {"Vhosts": {"api.test": True, "web.test": True}}
            assert config["LastReloadTimestamp"] > "2020"
            async with session.get(f"{bench.daemon.api}/v1/metrics") as response:
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
        async with running_bench("nginx", short_path) as bench:
            await bench.ended(signal.SIGTERM)
            nixy(bench).write_text(keys + nixy(bench).read_text())
            await bench.daemon.start()
            url = bench.daemon.api.replace("http:", "https:") + "/v1/health"

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
            assert (await bench.health())["status"] == 0


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
        async with running_bench("nginx", short_path) as bench:
            other = short_path / "other.toml"
            config = bench.proxy.config
            text = nixy(bench).read_text().replace(str(config), str(config.with_name("other.conf")))
            other.write_text(text)
            code, printed = await self.start("-f", str(other), directory=short_path)
            port = bench.daemon.api.rpartition(":")[2]
        assert code == 1
        assert f"error: cannot listen on address = '127.0.0.1', port = {port}" in printed
        assert "Traceback" not in printed

    async def test_without_any_controller_it_waits_and_leaves_the_proxy_alone(
        self, short_path: Path
    ) -> None:
        async with running_bench("nginx", short_path) as bench:
            async with bench.traffic():
                await bench.ended(signal.SIGTERM)
                for number in range(3):
                    await bench.cluster.stop_controller(number, elect=False)
                await bench.daemon.start()
                health = await bench.says("All endpoints are down")
                assert health["status"] == 500
                await bench.serves("web", "api")
                for number in range(3):
                    await bench.cluster.start_controller(number)
                await bench.healthy()
            await bench.cluster.scale("web", 4)
            await bench.serves("web")

    async def test_the_environment_alone_is_a_complete_configuration(
        self, short_path: Path
    ) -> None:
        """Files and commands are then at their defaults, relative to the working directory."""
        async with running_bench("nginx", short_path) as bench:
            await bench.ended(signal.SIGTERM)
            home = short_path / "home"
            home.mkdir()
            (home / "nginx-header.tmpl").write_text(bench.proxy.template.read_text())
            (home / "nginx").write_text(f'#!/bin/sh\nexec {short_path}/wrapper -p {home} "$@"\n')
            (home / "nginx").chmod(0o755)
            environ = {
                "PATH": f"{home}:/usr/bin:/bin",
                "DROVE_CONTROLLERS": ",".join(bench.cluster.urls),
                "DROVE_CLUSTER_NAME": "main",
                "NGINX_DROVE_VHOST": "leader.test",
                **bench.proxy.environ,
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
