"""Vhosts whose names mean something to a proxy, or stand elsewhere in its configuration."""

import string

import pytest
from pydantic import ValidationError
from tests.templates.serving import Shipped, app, topology
from tests.templates.test_routing import answers, instances
from tests.traffic import get

from drove_gateway.config import Settings
from drove_gateway.model.spelling import valid_vhost

# Names that NGINX or HAProxy read as something else somewhere, and names that the shipped
# templates have for themselves. All of them are valid vhosts.
NAMES = (
    "_",
    "default",
    "include",
    "hostnames",
    "volatile",
    "localhost",
    "server",
    "backend",
    "unix",
    "http",
    "https",
    "drove",
    "leader",
    "drove_gateway_by_host",
)


def test_each_of_these_names_is_a_valid_vhost() -> None:
    assert [valid_vhost(name) for name in NAMES] == list(NAMES)


async def test_a_vhost_that_is_called_like_a_keyword_is_served(shipped: Shipped) -> None:
    async with instances(*NAMES) as hosts:
        apps = (app(name, host) for name, host in zip(NAMES, hosts, strict=True))
        async with shipped.serving(topology(*apps)) as port:
            for name in NAMES:
                assert await answers(port, name) == {name}, name
            assert (await get(port, "other"))[0] == 404


async def test_a_group_that_is_called_like_a_keyword_is_chosen_by_its_header(
    routing: Shipped,
) -> None:
    async with instances("untagged", *NAMES) as [untagged, *hosts]:
        groups = {name: (host,) for name, host in zip(NAMES, hosts, strict=True)}
        web_app = app("web.local", untagged, tag="colour", **groups)
        async with routing.serving(topology(web_app)) as port:
            for name in NAMES:
                assert await answers(port, "web.local", X_Request_Env=name) == {name}, name
            assert await answers(port, "web.local") == {"untagged"}


@pytest.mark.parametrize("leads", ["localhost", "127.0.0.1"])
async def test_a_vhost_that_is_called_like_a_controllers_host_leaves_the_leader_its_own_server(
    shipped: Shipped, leads: str
) -> None:
    """The app is there before the controller leads, as after a fail-over to a stand-by."""
    async with instances("leader", "a", "b") as [leader, a, b]:
        desired = topology(
            app("localhost", a),
            app("127.0.0.1", b),
            leader="drove.local",
            endpoint=f"http://{leads}:{leader.port}",
        )
        async with shipped.serving(desired) as port:
            assert await answers(port, "drove.local") == {"leader"}
            assert await answers(port, "localhost") == {"a"}
            assert await answers(port, "127.0.0.1") == {"b"}


def accepted_separators() -> list[str]:
    """Return each character that the settings accept as separator, and one of two characters."""
    found = []
    for separator in (*string.punctuation, "x", "--"):
        try:
            Settings(proxy_platform="haproxy", haproxy_backend_name_separator=separator)
        except ValidationError:
            continue
        found.append(separator)
    return found


async def test_haproxy_routes_by_header_with_every_separator_that_the_settings_accept(
    routing: Shipped,
) -> None:
    separators = ["_"] if routing.nginx else accepted_separators()
    assert routing.nginx or {"_", "-", ".", ":"} <= set(separators)
    async with instances("untagged", "blue") as [untagged, blue]:
        desired = topology(app("web.local", untagged, tag="colour", blue=(blue,)))
        for separator in separators:
            settings = None
            if not routing.nginx:
                settings = Settings(
                    proxy_platform="haproxy", haproxy_backend_name_separator=separator
                )
            async with routing.serving(desired, settings) as port:
                assert await answers(port, "web.local") == {"untagged"}, separator
                chosen = await answers(port, "web.local", X_Request_Env="blue")
                assert chosen == {"blue"}, separator
