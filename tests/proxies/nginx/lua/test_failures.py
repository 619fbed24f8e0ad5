"""The Lua balancer in Debian's NGINX and servers that fail."""

from pathlib import Path

from tests.proxies.nginx.lua.rig import replacing, started
from tests.proxies.nginx.lua.traffic_rig import address, bodies, instances
from tests.traffic import free_port, get
from tests.waiting import until


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
