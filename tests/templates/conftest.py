from pathlib import Path

import pytest
from tests.proxies.nginx.lua.rig import lua_program
from tests.templates.serving import Shipped, ship

NAMES = ("haproxy", "haproxy-header-routing", "nginx", "nginx-header-routing", "nginx-lua")


@pytest.fixture(params=NAMES)
def shipped(
    request: pytest.FixtureRequest, nginx: Path, haproxy: Path, short_path: Path
) -> Shipped:
    """Each shipped template, for its real proxy."""
    name: str = request.param
    if name == "nginx-lua":
        return ship(name, lua_program(), short_path)
    return ship(name, nginx if name.startswith("nginx") else haproxy, short_path)


@pytest.fixture(params=["haproxy-header-routing", "nginx-header-routing"])
def routing(
    request: pytest.FixtureRequest, nginx: Path, haproxy: Path, short_path: Path
) -> Shipped:
    """Each shipped template that routes by header."""
    name: str = request.param
    return ship(name, nginx if name.startswith("nginx") else haproxy, short_path)
