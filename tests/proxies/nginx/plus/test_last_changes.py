"""Since when a server of NGINX is as it is: its API does not tell, the gateway remembers."""

from pathlib import Path

from tests.proxies.nginx.plus.rig import app, rigged, topology
from tests.standins.nginx_plus.server import NginxPlus, running

KEPT, ADDED = "10.0.0.1:80", "10.0.0.2:80"


async def test_a_server_shows_how_long_ago_the_gateway_changed_it(tmp_path: Path) -> None:
    conf = f"upstream a.example {{ zone a 64k; server {KEPT} max_fails=0 fail_timeout=1s; }}"
    async with running(NginxPlus(conf)) as nginx, rigged(nginx, tmp_path, template=None) as rig:
        await rig.apply(topology({"a.example": [KEPT, ADDED]}))
        states = await rig.driver.servers(app("a.example", [KEPT, ADDED]))

    assert states is not None
    changed = {state.address: state.changed for state in states}
    assert changed[KEPT] is None
    ago = changed[ADDED]
    assert ago is not None
    assert 0 <= ago < 5
