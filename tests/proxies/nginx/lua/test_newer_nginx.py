"""The Lua balancer in the NGINX and the Lua module of a newer Debian, with real traffic."""

from pathlib import Path

from tests.proxies.nginx.lua.rig import newer_program, replacing, started
from tests.proxies.nginx.lua.traffic_rig import address, instances
from tests.traffic import Traffic, get


async def test_a_newer_nginx_loses_no_request_through_changes_and_reloads(
    short_path: Path,
) -> None:
    async with (
        instances("a", "b") as (a, b),
        started(short_path, {"shop.test": [address(a)]}, newer_program()) as nginx,
    ):
        traffic = Traffic(nginx.port, ["shop.test", "new.test"], clients=2, repeat=True)
        await nginx.apply(new__test={**replacing(address(b)), "routed": True})
        async with traffic.running() as tally:
            for servers in ((a, b), (b,), (a,)):
                await nginx.apply(shop__test=replacing(*map(address, servers)))
                await traffic.answered(40)
                await nginx.reload()
                await traffic.answered(40)
        assert tally.failures == []
        assert set(tally.answers) == {"a", "b"}
        await nginx.kill_workers()
        assert await get(nginx.port, "shop.test") == (200, "a")
        assert await nginx.active("shop.test") == 0
        await nginx.apply(new__test=None)
        assert (await get(nginx.port, "new.test"))[0] == 404
