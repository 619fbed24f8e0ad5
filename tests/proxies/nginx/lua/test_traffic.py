"""The Lua balancer in Debian's NGINX, with real traffic: failures, drains, reloads, kills."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from tests.proxies.nginx.lua.rig import LuaNginx, listed, replacing, started
from tests.traffic import Instance, Traffic, free_port, get
from tests.waiting import until

from drove_gateway.proxies.nginx.lua.configuration import FileServer, FileUpstream

NO_VHOST = (404, "no such vhost here\n")
NO_SERVER = (503, "no server of this vhost is in service\n")


@contextlib.asynccontextmanager
async def instances(*names: str) -> AsyncIterator[list[Instance]]:
    running = [await Instance(name).start() for name in names]
    try:
        yield running
    finally:
        for instance in running:
            await instance.stop()


def address(instance: Instance) -> str:
    return f"127.0.0.1:{instance.port}"


async def bodies(nginx: LuaNginx, vhost: str, requests: int) -> list[str]:
    """Bodies of so many requests; each must be answered."""
    responses = [await get(nginx.port, vhost) for _ in range(requests)]
    assert {status for status, _ in responses} == {200}
    return [body for _, body in responses]


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


async def test_a_dead_server_is_tried_around_and_then_left_out_by_all_workers(
    short_path: Path,
) -> None:
    dead = f"127.0.0.1:{free_port()}"
    async with (
        instances("a") as (a,),
        started(short_path, {"shop.test": [dead, address(a)]}) as nginx,
    ):
        assert await bodies(nginx, "shop.test", 40) == ["a"] * 40

        async def counted() -> bool:
            return bool((await nginx.handshake())["counters"]["requests"] == 40)

        await until(counted)
        # The worker that met the failure told the other; each may have met it once.
        assert 1 <= (await nginx.handshake())["counters"]["retries"] <= 2
        _, upstream = await nginx.call("GET", "/api/9/http/upstreams/shop.test")
        assert {peer["server"]: peer["state"] for peer in upstream["peers"]} == {
            dead: "unavail",
            address(a): "up",
        }


async def test_a_failed_server_comes_back_after_its_time(short_path: Path) -> None:
    async with instances("a", "b") as (a, b), started(short_path, {"shop.test": []}) as nginx:
        await nginx.apply(shop__test=replacing(address(a), address(b), fail_timeout="1s"))
        await b.stop()
        assert set(await bodies(nginx, "shop.test", 10)) == {"a"}
        await b.start()

        async def serves() -> bool:
            return (await get(nginx.port, "shop.test"))[1] == "b"

        await until(serves)

        async def is_up() -> bool:
            await get(nginx.port, "shop.test")
            _, upstream = await nginx.call("GET", "/api/9/http/upstreams/shop.test")
            return all(peer["state"] == "up" for peer in upstream["peers"])

        await until(is_up)


async def test_when_every_server_has_failed_each_is_still_tried(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        await a.stop()
        assert await get(nginx.port, "shop.test") == (502, "every server failed\n")
        await a.start()
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


async def test_a_full_dictionary_is_reported_and_leaves_the_upstream_as_it_was(
    short_path: Path,
) -> None:
    many = [f"10.1.{number >> 8}.{number & 255}:80" for number in range(12_000)]
    async with (
        instances("a", "b") as (a, b),
        started(
            short_path,
            {"shop.test": [address(a)], "other.test": [address(a)]},
            memory="256k",
        ) as nginx,
    ):
        results = await nginx.apply(shop__test=replacing(*many), other__test=replacing(address(b)))
        assert results["shop.test"]["error"]["code"] == "UpstreamOutOfMemory"
        assert [server["server"] for server in results["other.test"]["servers"]] == [address(b)]
        assert await nginx.servers("shop.test") == [address(a)]
        assert await get(nginx.port, "shop.test") == (200, "a")
        assert await get(nginx.port, "other.test") == (200, "b")
        # The next file knows better than a dictionary that refused a change.
        nginx.write({"shop.test": [address(b)], "other.test": [address(a)]}, "2", "256k")
        await nginx.reload()
        assert await get(nginx.port, "shop.test") == (200, "b")
        assert await get(nginx.port, "other.test") == (200, "b")


async def test_an_upstream_that_does_not_fit_into_the_dictionary_is_served_from_the_file(
    short_path: Path,
) -> None:
    dead = [f"127.0.0.1:{port}" for port in range(1000, 7000)]
    async with instances("a") as (a,):
        vhosts = {"big.test": FileUpstream(tuple(FileServer(d, backup=True) for d in dead))}
        vhosts["big.test"] = FileUpstream((FileServer(address(a)), *vhosts["big.test"].servers))
        async with started(
            short_path, {**vhosts, "shop.test": listed([address(a)])}, memory="256k"
        ) as nginx:
            assert await get(nginx.port, "big.test") == (200, "a")
            assert await get(nginx.port, "shop.test") == (200, "a")
            assert (await nginx.handshake())["only_in_file"] == 1
            assert "drove_gateway is full" in nginx.log
            # Removed from the dictionary, it would be served as the file lists it again.
            await nginx.apply(big__test=replacing(address(a)))
            assert (await nginx.handshake())["only_in_file"] == 0
            removed = await nginx.apply(big__test=None)
            assert removed["big.test"]["error"]["code"] == "UpstreamStatic"
            assert await get(nginx.port, "big.test") == (200, "a")


async def test_writers_at_once_lose_no_change(short_path: Path) -> None:
    async with started(short_path, {"shop.test": []}) as nginx:
        path = "/api/9/http/upstreams/shop.test/servers/"
        wanted = [f"10.0.0.{number}:80" for number in range(100)]
        results = await asyncio.gather(
            *(nginx.call("POST", path, {"server": server}) for server in wanted)
        )
        assert {status for status, _ in results} == {201}
        assert len({server["id"] for _, server in results}) == 100
        assert sorted(await nginx.servers("shop.test")) == sorted(wanted)


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


async def test_a_body_that_is_too_large_or_malformed_changes_nothing(short_path: Path) -> None:
    async with instances("a") as (a,), started(short_path, {"shop.test": [address(a)]}) as nginx:
        path = "/drove-gateway/upstreams"
        for body in ("", "{", "[]", '{"upstreams": []}', "nul", '{"upstreams": {}} x'):
            status, response = await nginx.call("POST", path, body)
            assert status in {400, 415}
            assert response["error"]["code"] in {"JsonError", "UpstreamConfFormatError"}
        deep = await nginx.call("POST", path, "[" * 100_000)
        assert deep[1]["error"]["code"] == "JsonError"
        large = json.dumps({"upstreams": {"shop.test": None}, "pad": "x" * (17 << 20)})
        process = await asyncio.create_subprocess_exec(
            *("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--unix-socket"),
            *(str(nginx.socket), "--data-binary", "@-", f"http://api{path}"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await process.communicate(large.encode())
        assert printed == b"413"
        assert await get(nginx.port, "shop.test") == (200, "a")


async def test_changes_and_lists_of_many_upstreams_leave_nothing_in_the_log(
    short_path: Path,
) -> None:
    async with started(short_path, {}) as nginx:
        many = {f"v{number}__test": replacing("10.0.0.1:80") for number in range(200)}
        results = await nginx.apply(**many)
        assert not any("error" in result for result in results.values())
        status, listed_upstreams = await nginx.call("GET", "/api/9/http/upstreams/")
        assert (status, len(listed_upstreams)) == (200, 200)
        assert nginx.log == ""


async def test_the_api_refuses_requests_that_a_proxy_forwarded(short_path: Path) -> None:
    """A vhost can have the API's own address as a server."""
    async with started(short_path, {"shop.test": []}) as nginx:
        await nginx.apply(shop__test=replacing(f"unix:{nginx.socket}"))
        headers = {"X-Forwarded-For": "127.0.0.1"}
        status, body = await get(nginx.port, "shop.test", "/drove-gateway/", headers=headers)
        assert status == 403
        assert json.loads(body)["error"]["code"] == "Forbidden"


async def test_requests_to_dead_servers_do_not_make_workers_read_their_health_again_and_again(
    short_path: Path,
) -> None:
    dead = [f"127.0.0.1:{free_port()}" for _ in range(3)]
    async with started(short_path, {"shop.test": []}) as nginx:
        await nginx.apply(shop__test=replacing(*dead, fail_timeout="60s"))
        for _ in range(10):
            assert (await get(nginx.port, "shop.test"))[0] == 502

        async def counted() -> bool:
            return bool((await nginx.handshake())["counters"]["errors"] == 10)

        await until(counted)
        _, upstream = await nginx.call("GET", "/api/9/http/upstreams/shop.test")
        assert {peer["state"] for peer in upstream["peers"]} == {"unavail"}
        # Each server's failure was shared once, by each worker that met it at most.
        status, shown = await nginx.call("GET", "/drove-gateway/upstreams/shop.test")
        assert status == 200
        assert 1 <= shown["health_changes"] <= 6
