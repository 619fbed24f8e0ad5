"""Settings to the kind of proxy that they name: the only place that knows every kind."""

from collections.abc import Callable, Mapping

import msgspec

from drove_gateway.config import Settings
from drove_gateway.proxies.haproxy import local as local_haproxy
from drove_gateway.proxies.haproxy.kind import haproxy_kind
from drove_gateway.proxies.kind import ProxyKind
from drove_gateway.proxies.local import InContainer, InDemo
from drove_gateway.proxies.nginx import local as local_nginx
from drove_gateway.proxies.nginx.kind import nginx_kind


class Registered(msgspec.Struct, frozen=True):
    """A kind of proxy: with settings, in the container, and in the demo."""

    configured: Callable[[Settings], ProxyKind]
    in_container: InContainer
    in_demo: InDemo


KINDS: Mapping[str, Registered] = {
    "haproxy": Registered(haproxy_kind, local_haproxy.IN_CONTAINER, local_haproxy.IN_DEMO),
    "nginx": Registered(nginx_kind, local_nginx.IN_CONTAINER, local_nginx.IN_DEMO),
}
"""Each kind by its name in `proxy_platform`, which is also the name of its program."""

CONTAINERS: Mapping[str, InContainer] = {
    **{name: registered.in_container for name, registered in KINDS.items()},
    "nginx-lua": local_nginx.LUA_IN_CONTAINER,
}
"""Each proxy that the container can run, by the name of its shipped template."""

DEMOS: Mapping[str, InDemo] = {
    **{name: registered.in_demo for name, registered in KINDS.items()},
    "nginx-lua": local_nginx.LUA_IN_DEMO,
}
"""Each proxy that the demo can run."""


def kind_of(settings: Settings) -> ProxyKind:
    """Return the kind of proxy that `settings` describe."""
    return KINDS[settings.proxy_platform].configured(settings)
