"""The daemon under systemd's hands: signals, readiness, and its end."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.daemon.systemd.listener import Listener
from tests.faults.site import Site, site
from tests.waiting import until

COMMANDS_MAY_TAKE = "command_timeout_sec = 8.0"


@pytest.fixture
def systemd(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """Listens where the daemon is told to report."""
    listening = Listener(f"{short_path}/notify")
    monkeypatch.setenv("NOTIFY_SOCKET", listening.address)
    monkeypatch.setenv("WATCHDOG_USEC", "500000")
    yield listening
    listening.close()


@pytest.fixture
async def place(short_path: Path, systemd: Listener) -> AsyncIterator[Site]:
    assert systemd.heard() == []
    async with site("nginx", short_path, prepare=patient) as made:
        yield made


def patient(place: Site) -> None:
    """Commands may take their time, on a busy machine too."""
    path = place.configure()
    path.write_text(path.read_text().replace("command_timeout_sec = 2.0", COMMANDS_MAY_TAKE))


async def test_systemd_is_told_all_along(place: Site, systemd: Listener) -> None:
    await systemd.hears("READY=1")
    await systemd.hears("WATCHDOG=1")
    await systemd.hears("1 of 1 namespaces have a leader; 2 vhosts, 6 servers; last apply 20")

    place.signal(signal.SIGHUP)
    await systemd.hears("RELOADING=1\nMONOTONIC_USEC=")
    await until(lambda: systemd.heard().count("READY=1") == 2)

    assert await place.end() == 0
    await systemd.hears("STOPPING=1")


async def test_it_is_not_ready_before_something_was_applied(place: Site, systemd: Listener) -> None:
    await place.kill()
    ready = systemd.heard().count("READY=1")
    place.mischief("exit 1")
    (place.directory / "state").rename(place.directory / "elsewhere")
    await place.cluster.scale("web", 4)
    await place.start()
    await systemd.hears("; retrying ")
    assert systemd.heard().count("READY=1") == ready

    place.mischief("")
    await until(lambda: systemd.heard().count("READY=1") == ready + 1)
    await place.serves()


async def test_no_command_inherits_the_socket(place: Site) -> None:
    seen = place.directory / "seen"
    place.mischief(f'echo "[$NOTIFY_SOCKET]" >> {seen}')
    await place.cluster.scale("web", 4)
    await place.serves("web")

    assert set(seen.read_text().split()) == {"[]"}


async def test_between_usr1_and_usr2_nothing_is_begun(place: Site) -> None:
    calls = place.directory / "calls"
    place.signal(signal.SIGUSR1)
    await until(lambda: "SIGUSR1" in place.tail())
    place.mischief(f"echo >> {calls}")
    await place.cluster.scale("web", 5)
    await place.says('"State": "held back"')
    assert not calls.exists()

    place.signal(signal.SIGUSR2)
    await place.serves("web")
    await place.healthy()

    assert calls.exists()


async def test_usr2_brings_a_restarted_proxy_up_to_date(place: Site) -> None:
    """Somebody replaced the file and restarted the proxy with it."""
    place.signal(signal.SIGUSR1)
    good = place.config.read_text()
    place.config.write_text(good.replace("web.test", "wrong.test"))
    reload = await asyncio.create_subprocess_exec(
        str(place.edge.program), "-p", str(place.directory), "-c", str(place.config), "-s", "reload"
    )
    assert await reload.wait() == 0

    place.signal(signal.SIGUSR2)
    await until(lambda: place.config.read_text() == good)
    await place.serves()


async def test_sigterm_lets_the_step_under_way_end(place: Site, systemd: Listener) -> None:
    begun, free = place.directory / "begun", place.directory / "free"
    place.mischief(f"touch {begun}; until [ -e {free} ]; do sleep 0.05; done")
    await place.cluster.deploy("shop", instances=2)
    await until(begun.exists)
    place.signal(signal.SIGTERM)
    await systemd.hears("STOPPING=1")
    free.touch()

    assert await exit_code(place) == 0
    assert "server_name shop.test" in place.config.read_text()
    await place.serves("shop")


async def test_sigterm_does_not_wait_for_ever(place: Site) -> None:
    """The reload hangs; the command's own time limit ends it."""
    begun = place.directory / "begun"
    place.mischief(f"touch {begun}; sleep 600")
    await place.cluster.deploy("shop", instances=2)
    await until(begun.exists)
    async with place.traffic():
        place.signal(signal.SIGTERM)
        assert await exit_code(place) == 0
    await place.valid()


async def exit_code(place: Site) -> int:
    """Of the daemon, once it ended."""
    assert place.daemon is not None
    return await asyncio.wait_for(place.daemon.wait(), 60)


async def test_a_configuration_that_cannot_be_used_leaves_the_one_before(
    place: Site, systemd: Listener
) -> None:
    """It can be read, but its port is taken by another process."""
    file = place.directory / "nixy.toml"
    good = file.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        file.write_text(good.replace(f"port = {place.api.rpartition(':')[2]}", f"port = {port}"))
        async with place.traffic():
            place.signal(signal.SIGHUP)
            await until(lambda: "keeping the previous configuration" in place.tail())
            await until(lambda: systemd.heard().count("READY=1") == 2)
            await place.healthy()
            await place.cluster.scale("web", 5)
            await place.serves("web")
