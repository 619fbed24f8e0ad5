"""Settings to the kind of proxy that they name: the only place that knows every kind."""

from collections.abc import Callable, Mapping

from drove_gateway.config import Settings
from drove_gateway.proxies.haproxy.kind import haproxy_kind
from drove_gateway.proxies.kind import ProxyKind
from drove_gateway.proxies.nginx.kind import nginx_kind

KINDS: Mapping[str, Callable[[Settings], ProxyKind]] = {
    "haproxy": haproxy_kind,
    "nginx": nginx_kind,
}
"""Each kind by its name in `proxy_platform`."""


def kind_of(settings: Settings) -> ProxyKind:
    """Return the kind of proxy that `settings` describe."""
    return KINDS[settings.proxy_platform](settings)
