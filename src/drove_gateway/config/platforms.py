"""What each proxy needs of the configuration, declared once for each `proxy_platform`.

Rules that depend on the chosen proxy ask here, so that no other module compares its name.
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from drove_gateway.config.settings import Settings


class PlatformKeys(msgspec.Struct, frozen=True):
    """The keys of a proxy: its template, those that must not be empty, and its own sockets.

    `needed` returns the keys that must not be empty with the other settings as they are. `sockets`
    are keys of Unix sockets that the proxy creates when it starts. The keys of `names_proxy` say
    which proxy of its kind it is.
    """

    template: str
    needed: Callable[[Settings], Iterator[str]]
    names_proxy: tuple[str, ...]
    sockets: tuple[str, ...] = ()


def _needed_by_nginx(settings: Settings) -> Iterator[str]:
    if not settings.nginx_reload_disabled:
        yield from ("nginx_config", "nginx_template", "nginx_cmd")


def _needed_by_haproxy(settings: Settings) -> Iterator[str]:
    if settings.haproxy_reload_disabled:
        return
    yield from ("haproxy_config", "haproxy_template")
    if not settings.haproxy_ignore_check:
        yield "haproxy_cmd"
    if not settings.haproxy_master_socket:
        yield "haproxy_reload_cmd"


PLATFORM_KEYS: Mapping[str, PlatformKeys] = {
    "nginx": PlatformKeys(
        template="nginx_template",
        needed=_needed_by_nginx,
        names_proxy=("nginx_config", "nginxplusapiaddr"),
    ),
    "haproxy": PlatformKeys(
        template="haproxy_template",
        needed=_needed_by_haproxy,
        names_proxy=("haproxy_config", "haproxysocketaddr"),
        sockets=("haproxysocketaddr", "haproxy_master_socket"),
    ),
}
"""Each proxy's keys by its name in `proxy_platform`."""


def template_key(platform: object) -> str:
    """Return the key of the template for a value of `proxy_platform`, which may be unusable."""
    default = Settings.model_fields["proxy_platform"].default
    keys = PLATFORM_KEYS.get(platform) if isinstance(platform, str) else None
    return (keys or PLATFORM_KEYS[default]).template


def proxy_named_by(settings: Settings) -> str:
    """Return which proxy the settings name, in their own spelling, wherever they are read."""
    keys = PLATFORM_KEYS[settings.proxy_platform].names_proxy
    return " ".join((settings.proxy_platform, *(str(getattr(settings, key)) for key in keys)))
