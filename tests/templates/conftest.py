from pathlib import Path

import pytest
from tests.proxies.nginx.lua.rig import lua_program
from tests.templates.behind_the_edge import bench, certificates, pair
from tests.templates.serving import Shipped, ship

from drove_gateway.templates import NAMES as SHIPPED

__all__ = ["bench", "certificates", "pair"]

# NGINX Plus has no program here.
NAMES = tuple(name for name in SHIPPED if name != "nginx-plus")


@pytest.fixture(params=NAMES)
def shipped(
    request: pytest.FixtureRequest, nginx: Path, haproxy: Path, short_path: Path
) -> Shipped:
    """Each shipped template, for its real proxy."""
    name: str = request.param
    if name.startswith("nginx-lua"):
        return ship(name, lua_program(), short_path)
    return ship(name, nginx if name.startswith("nginx") else haproxy, short_path)


@pytest.fixture(params=[name for name in NAMES if name.endswith("-header-routing")])
def routing(
    request: pytest.FixtureRequest, nginx: Path, haproxy: Path, short_path: Path
) -> Shipped:
    """Each shipped template that routes by header."""
    name: str = request.param
    if name.startswith("nginx-lua"):
        return ship(name, lua_program(), short_path)
    return ship(name, nginx if name.startswith("nginx") else haproxy, short_path)
