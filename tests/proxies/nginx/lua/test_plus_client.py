"""The gateway's client of NGINX Plus speaks to the Lua balancer unchanged."""

from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.nginx.lua.rig import LuaNginx
from tests.traffic import free_port

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import ApiRefused, Client

A, B = "10.0.0.1:80", "10.0.0.2:80"


class Process(LuaNginx):
    """NGINX whose API the client reaches on a loopback port or a Unix socket."""

    client: Client

    async def _responds(self) -> bool:
        try:
            await self.client.identity()
        except RuntimeApiError:
            return False
        return True


@pytest.mark.parametrize("kind", ["port", "socket"])
async def test_the_plus_client_reads_and_changes_servers(short_path: Path, kind: str) -> None:
    nginx, port = Process(short_path), free_port()
    nginx.write({"shop.test": [A]}, api_port=port if kind == "port" else None)
    access = Access(f"127.0.0.1:{port}" if kind == "port" else f"unix:{nginx.socket}")
    nginx.client = client = Client(
        access, timeout=5.0, metrics=CountingMetrics(), log=EventLog(structlog.get_logger())
    )
    try:
        await nginx.start()
        identity = await client.identity()
        assert (identity.generation, identity.build) == (1, "drove-gateway-lua")
        added = await client.add("shop.test", B, {"max_fails": 2, "fail_timeout": "5s"})
        assert (added.id, added.server, added.max_fails) == (1, B, 2)
        assert (await client.change("shop.test", 0, {"drain": True})).drain
        peers = (await client.upstreams())["shop.test"].peers
        assert [(peer.server, peer.state) for peer in peers] == [(A, "draining"), (B, "up")]
        assert [server.server for server in await client.delete("shop.test", 0)] == [B]
        with pytest.raises(ApiRefused, match="UpstreamNotFound"):
            await client.servers("none.test")
    finally:
        await client.close()
        await nginx.stop()
