"""The Lua balancer in Debian's NGINX, with real traffic: vhosts, drains, reloads, kills."""

import asyncio
import contextlib
from pathlib import Path

from tests.proxies.nginx.lua.rig import replacing, started
from tests.proxies.nginx.lua.traffic_rig import address, bodies, instances
from tests.traffic import Instance, Traffic, get
from tests.waiting import until

from drove_gateway.proxies.nginx.lua.configuration import FileServer, FileUpstream

NO_VHOST = (404, "no such vhost here\n")
NO_SERVER = (503, "no server of this vhost is in service\n")


async def test_servers_of_the_file_serve_before_anything_called_the_api(short_path: Path) -> None:
    async with (
        instances("a") as (a,),
        started(short_path, {"shop.test": [address(a)]}) as nginx,
    ):
        assert await get(nginx.port, "shop.test") == (200, "a")
        assert await get(nginx.port, "unknown.test") == NO_VHOST


async def test_weights_share_requests_in_every_worker(short_path: Path) -> None:
    async with instances("a", "b") as (a, b):
        servers = FileUpstream((FileServer(address(a), weight=3), FileServer(address(b))))
        async with started(short_path, {"shop.test": servers}) as nginx:
            answers = await bodies(nginx, "shop.test", 200)
            assert 140 <= answers.count("a") <= 160


async def test_a_new_vhost_is_served_without_a_reload_and_a_removed_vhost_is_404_at_once(
    short_path: Path,
) -> None:
    async with (
        instances("a", "b") as (a, b),
        started(short_path, {"shop.test": [address(a)]}) as nginx,
    ):
        await nginx.apply(new__test={**replacing(address(b)), "routed": True})
        assert await get(nginx.port, "new.test") == (200, "b")
        await nginx.apply(shop__test=None, new__test=None)
        assert await get(nginx.port, "shop.test") == NO_VHOST
        assert await get(nginx.port, "new.test") == NO_VHOST


async def test_the_default_server_serves_only_what_is_routed(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {}) as nginx:
        await nginx.apply(internal__test=replacing(address(a)))
        assert await get(nginx.port, "internal.test") == NO_VHOST
        await nginx.apply(internal__test={**replacing(address(a)), "routed": True})
        assert await get(nginx.port, "internal.test") == (200, "a")


async def test_a_vhost_without_servers_is_503_not_404(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": []}) as nginx:
        assert await get(nginx.port, "shop.test") == NO_SERVER
        await nginx.apply(shop__test=replacing(address(a), drain=True))
        assert await get(nginx.port, "shop.test") == NO_SERVER
        await nginx.apply(shop__test=replacing(address(a)))
        assert await get(nginx.port, "shop.test") == (200, "a")


async def test_running_requests_are_counted_until_they_end_in_whatever_way(
    short_path: Path,
) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        slow = asyncio.create_task(get(nginx.port, "shop.test", "/slow/0.5"))
        _, aborted = await asyncio.open_connection("127.0.0.1", nginx.port)
        aborted.write(b"GET /slow/60 HTTP/1.1\r\nHost: shop.test\r\n\r\n")

        async def runs(number: int) -> bool:
            return await nginx.active("shop.test") == number

        await until(lambda: runs(2))
        aborted.close()
        await until(lambda: runs(1))
        assert await slow == (200, "a")
        await until(lambda: runs(0))
        # An error page is an internal redirect: the count must survive it.
        await a.stop()
        assert (await get(nginx.port, "shop.test"))[0] == 502
        assert await nginx.active("shop.test") == 0


async def test_a_drained_server_finishes_its_requests_and_gets_no_new_ones(
    short_path: Path,
) -> None:
    async with (
        instances("a", "b") as (a, b),
        started(short_path, {"shop.test": [address(a)]}) as nginx,
    ):
        slow = asyncio.create_task(get(nginx.port, "shop.test", "/slow/0.5"))

        async def runs() -> bool:
            return await nginx.active("shop.test") == 1

        await until(runs)
        change = {
            "add": [{"server": address(b)}],
            "change": [{"server": address(a), "drain": True}],
        }
        await nginx.apply(shop__test=change)
        assert set(await bodies(nginx, "shop.test", 10)) == {"b"}
        assert await nginx.active("shop.test") == 1
        assert await slow == (200, "a")
        assert await nginx.active("shop.test") == 0


async def test_what_a_killed_worker_counted_does_not_stay(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        with contextlib.suppress(OSError):
            slow = asyncio.create_task(get(nginx.port, "shop.test", "/slow/60"))

            async def runs() -> bool:
                return await nginx.active("shop.test") == 1

            await until(runs)
            await nginx.kill_workers()
            await slow
        assert await nginx.active("shop.test") == 0
        assert await get(nginx.port, "shop.test") == (200, "a")


async def test_every_worker_that_replaces_a_killed_worker_is_counted(short_path: Path) -> None:
    """Workers that start at once must not take the same place in the list."""
    async with started(short_path, {"shop.test": []}) as nginx:
        for _ in range(10):
            await nginx.kill_workers()


async def test_a_reload_keeps_what_the_api_changed_and_a_restart_serves_the_file(
    short_path: Path,
) -> None:
    async with (
        instances("file", "api") as (file, api),
        started(short_path, {"shop.test": [address(file)], "gone.test": [address(file)]}) as nginx,
    ):
        await nginx.apply(shop__test=replacing(address(api)), gone__test=None)
        await nginx.apply(new__test={**replacing(address(api)), "routed": True})
        await nginx.reload()
        assert await get(nginx.port, "shop.test") == (200, "api")
        assert await get(nginx.port, "new.test") == (200, "api")
        assert await get(nginx.port, "gone.test") == NO_VHOST
        await nginx.restart()
        assert await get(nginx.port, "shop.test") == (200, "file")
        assert await get(nginx.port, "new.test") == NO_VHOST


async def test_an_upstream_of_an_earlier_file_goes_with_the_file_that_lists_it_no_more(
    short_path: Path,
) -> None:
    async with (
        instances("a") as (a,),
        started(short_path, {"old.test": [address(a)], "shop.test": [address(a)]}) as nginx,
    ):
        nginx.write({"shop.test": [address(a)], "more.test": [address(a)]}, generation="2")
        await nginx.reload()
        assert await nginx.servers("old.test") == []
        assert await get(nginx.port, "old.test") == NO_VHOST
        assert await get(nginx.port, "more.test") == (200, "a")
        assert (await nginx.handshake())["generation"] == "2"


async def test_ipv6_and_unix_sockets_are_served(short_path: Path) -> None:
    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nunix")
        writer.close()

    socket = short_path / "app.sock"
    six = await Instance("six", host="::1").start()
    async with (
        await asyncio.start_unix_server(respond, str(socket)),
        started(short_path, {"shop.test": [f"unix:{socket}"]}) as nginx,
    ):
        assert await get(nginx.port, "shop.test") == (200, "unix")
        await nginx.apply(shop__test=replacing(f"[0:0::1]:{six.port}"))
        assert await nginx.servers("shop.test") == [f"[::1]:{six.port}"]
        assert await get(nginx.port, "shop.test") == (200, "six")
    await six.stop()


async def test_connections_to_servers_are_kept(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        await bodies(nginx, "shop.test", 50)
        assert a.requests == 50
        # At most one idle connection for each worker.
        assert a.connections <= 2


async def test_no_request_fails_while_servers_come_and_go(short_path: Path) -> None:
    async with (
        instances("a", "b", "c") as (a, b, c),
        started(short_path, {"shop.test": [address(a)]}) as nginx,
    ):
        traffic = Traffic(nginx.port, ["shop.test"], clients=4)
        async with traffic.running() as tally:
            for turn in range(30):
                servers = [(a, b), (b, c), (a, c), (a, b, c)][turn % 4]
                await nginx.apply(shop__test=replacing(*map(address, servers)))
                await traffic.answered(20)
        assert tally.failures == []
        assert set(tally.answers) == {"a", "b", "c"}


async def test_no_request_fails_through_reloads(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        responses: list[tuple[int, str]] = []
        ended = asyncio.Event()

        async def ask() -> None:
            while not ended.is_set():
                responses.append(await get(nginx.port, "shop.test"))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(2):
                tasks.create_task(ask())
            for number in range(3):
                nginx.write({"shop.test": [address(a)]}, generation=f"next-{number}")
                await nginx.reload()
            ended.set()
        assert len(responses) > 20
        assert set(responses) == {(200, "a")}
