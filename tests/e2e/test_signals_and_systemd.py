"""The daemon under systemd's hands: signals, readiness, and its end."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.benches.processes import PACE, Bench, running_bench
from tests.daemon.systemd.listener import Listener
from tests.waiting import until


@pytest.fixture
def systemd(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """Listens where the daemon reports."""
    listening = Listener(f"{short_path}/notify")
    monkeypatch.setenv("NOTIFY_SOCKET", listening.address)
    monkeypatch.setenv("WATCHDOG_USEC", "500000")
    yield listening
    listening.close()


@pytest.fixture
async def bench(short_path: Path, systemd: Listener) -> AsyncIterator[Bench]:
    assert systemd.heard() == []
    async with running_bench("nginx", short_path, prepare=patient) as made:
        yield made


def patient(bench: Bench) -> None:
    """Commands may take their time, on a busy machine too."""
    bench.configure(PACE | {"command_timeout_sec": 8.0})


async def test_systemd_is_kept_informed(bench: Bench, systemd: Listener) -> None:
    await systemd.hears("READY=1")
    await systemd.hears("WATCHDOG=1")
    await systemd.hears("1 of 1 namespace with a leader; 2 vhosts, 6 servers; last apply 20")

    bench.daemon.signal(signal.SIGHUP)
    await systemd.hears("RELOADING=1\nMONOTONIC_USEC=")
    await until(lambda: systemd.heard().count("READY=1") == 2)

    assert await bench.daemon.stop() == 0
    await systemd.hears("STOPPING=1")


async def test_it_is_ready_after_the_first_round_whatever_its_result(
    bench: Bench, systemd: Listener
) -> None:
    await bench.daemon.kill()
    ready = systemd.heard().count("READY=1")
    bench.interfere("exit 1")
    (bench.directory / "state").rename(bench.directory / "elsewhere")
    await bench.cluster.scale("web", 4)
    await bench.daemon.start()
    await systemd.hears("; retrying ")
    await until(lambda: systemd.heard().count("READY=1") == ready + 1)

    bench.interfere("")
    await bench.serves()
    assert systemd.heard().count("READY=1") == ready + 1


async def test_no_command_inherits_the_socket(bench: Bench) -> None:
    seen = bench.directory / "seen"
    bench.interfere(f'echo "[$NOTIFY_SOCKET]" >> {seen}')
    await bench.cluster.scale("web", 4)
    await bench.serves("web")

    assert set(seen.read_text().split()) == {"[]"}


async def test_between_usr1_and_usr2_nothing_is_begun(bench: Bench) -> None:
    calls = bench.directory / "calls"
    bench.daemon.signal(signal.SIGUSR1)
    await until(lambda: "SIGUSR1" in bench.daemon.tail())
    bench.interfere(f"echo >> {calls}")
    await bench.cluster.scale("web", 5)
    await bench.says('"State": "held back"')
    assert not calls.exists()

    bench.daemon.signal(signal.SIGUSR2)
    await bench.serves("web")
    await bench.healthy()

    assert calls.exists()


async def test_usr2_brings_a_restarted_proxy_up_to_date(bench: Bench) -> None:
    """Somebody replaced the file and restarted the proxy with it."""
    bench.daemon.signal(signal.SIGUSR1)
    good = bench.proxy.config.read_text()
    bench.proxy.config.write_text(good.replace("web.test", "wrong.test"))
    reload = await asyncio.create_subprocess_exec(
        str(bench.proxy.program),
        "-p",
        str(bench.directory),
        "-c",
        str(bench.proxy.config),
        "-s",
        "reload",
    )
    assert await reload.wait() == 0

    bench.daemon.signal(signal.SIGUSR2)
    await until(lambda: bench.proxy.config.read_text() == good)
    await bench.serves()


async def test_sigterm_lets_the_step_under_way_end(bench: Bench, systemd: Listener) -> None:
    begun, free = bench.directory / "begun", bench.directory / "free"
    bench.interfere(f"touch {begun}; until [ -e {free} ]; do sleep 0.05; done")
    await bench.cluster.deploy("shop", instances=2)
    await until(begun.exists)
    bench.daemon.signal(signal.SIGTERM)
    await systemd.hears("STOPPING=1")
    free.touch()

    assert await bench.ended() == 0
    assert "server_name shop.test" in bench.proxy.config.read_text()
    await bench.serves("shop")


async def test_sigterm_does_not_wait_indefinitely(bench: Bench) -> None:
    """The reload hangs; the command's own time limit ends it."""
    begun = bench.directory / "begun"
    bench.interfere(f"touch {begun}; sleep 600")
    await bench.cluster.deploy("shop", instances=2)
    await until(begun.exists)
    async with bench.traffic():
        bench.daemon.signal(signal.SIGTERM)
        assert await bench.ended() == 0
    await bench.valid()


async def test_a_configuration_that_cannot_be_used_leaves_the_one_before(
    bench: Bench, systemd: Listener
) -> None:
    """It can be read, but its port is taken by another process."""
    file = bench.directory / "nixy.toml"
    good = file.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(
            good.replace(f"port = {bench.daemon.api.rpartition(':')[2]}", f"port = {port}")
        )
        async with bench.traffic():
            bench.daemon.signal(signal.SIGHUP)
            await until(lambda: "the previous configuration stays" in bench.daemon.tail())
            await until(lambda: systemd.heard().count("READY=1") == 2)
            await bench.healthy()
            await bench.cluster.scale("web", 5)
            await bench.serves("web")


async def test_template_waits_for_sighup_where_it_is_not_watched(bench: Bench) -> None:
    await bench.daemon.stop()
    bench.daemon.config.write_text(f"template_watch = false\n{bench.daemon.config.read_text()}")
    await bench.daemon.start()
    await bench.healthy()
    bench.proxy.template.write_text(f"# a new line\n{bench.proxy.template.read_text()}")

    await bench.reports("/v1/status", lambda status: "waits for SIGHUP" in str(status))
    await bench.cluster.scale("web", 5)
    await bench.serves("web")
    assert "# a new line" not in bench.proxy.config.read_text()

    bench.daemon.signal(signal.SIGHUP)
    await until(
        lambda: "# a new line" in bench.proxy.config.read_text(), describe=bench.daemon.tail
    )
    await bench.healthy()
    await bench.reports("/v1/status", lambda status: "waits for SIGHUP" not in str(status))

    bench.proxy.template.write_text("{{.Nothing")
    bench.daemon.signal(signal.SIGHUP)
    health = await bench.says("the last good template is used instead")
    assert str(bench.proxy.template.name) in health["Template"]["Message"]
    assert "event=template_unusable" in bench.daemon.tail()
