"""The Unix socket of the balancer's API, which a killed NGINX leaves behind."""

import socket
from pathlib import Path

from tests.proxies.nginx.lua.lua_modules import Modules
from tests.proxies.nginx.lua.rig import started
from tests.proxies.nginx.lua.traffic_rig import address, bodies, instances

REMOVE = """
local socket = require("drove_gateway.socket")
return function(path) socket.remove_stale(path) end
"""


def test_a_socket_is_removed_only_if_nobody_listens_there(short_path: Path) -> None:
    path = short_path / "api.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        for _ in range(3):
            Modules().run(REMOVE, str(path))
            assert path.exists()
    Modules().run(REMOVE, str(path))
    assert not path.exists()
    Modules().run(REMOVE, str(path))


def test_nothing_but_a_socket_is_removed(short_path: Path) -> None:
    file, directory, link = short_path / "file", short_path / "directory", short_path / "link"
    file.write_text("kept")
    directory.mkdir()
    link.symlink_to(file)
    for path in (file, directory, link, short_path / ("x" * 200)):
        Modules().run(REMOVE, str(path))
    assert (file.read_text(), directory.is_dir(), link.is_symlink()) == ("kept", True, True)


async def test_nginx_starts_again_after_it_was_killed(short_path: Path) -> None:
    async with (
        instances("a") as (a,),
        started(short_path, {"shop.test": [address(a)]}) as nginx,
    ):
        await nginx.kill()
        assert nginx.socket.is_socket()
        await nginx.start()
        assert await bodies(nginx, "shop.test", 4) == ["a"] * 4
