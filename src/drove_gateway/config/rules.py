"""Rules for combinations of keys; the rule for a single key is part of its type.

Rules see settings whose single keys are valid. A finding names its key and the other keys that it
depends on, so that nothing is concluded from a value that is itself broken.
"""

from collections.abc import Iterator

import msgspec

from drove_gateway.config.addresses import is_loopback
from drove_gateway.config.declared_secrets import without_declared_secrets
from drove_gateway.config.draft import quoted
from drove_gateway.config.platforms import PLATFORM_KEYS
from drove_gateway.config.settings import NamespaceSettings, Settings
from drove_gateway.model.spelling import vhost_spelling


class Finding(msgspec.Struct, frozen=True):
    """A problem or caution: `text` follows "KEY = VALUE: "; `reads` are the keys it depends on."""

    key: str
    text: str
    reads: tuple[str, ...] = ()


def problems(settings: Settings) -> Iterator[Finding]:
    """Return the problems that make the settings unusable."""
    if not settings.namespaces:
        yield Finding(
            "namespaces",
            "no Drove cluster is configured; add a [[namespaces]] table with name and drove, "
            "or set DROVE_CONTROLLERS",
        )
    yield from _admin_tls(settings)
    yield from _admin_tokens(settings)
    yield from _disabled_reloads(settings)
    yield from _empty_keys(settings)
    yield from _leader_vhosts(settings)


def _admin_tls(settings: Settings) -> Iterator[Finding]:
    for key in ("port_tls_certfile", "port_tls_keyfile"):
        if settings.port_use_tls and not getattr(settings, key):
            yield Finding("port_use_tls", f"needs {key}, the path of a file", (key,))


def _admin_tokens(settings: Settings) -> Iterator[Finding]:
    if settings.admin_read_token and not settings.admin_token:
        text = (
            "needs admin_token too; without it, anyone could trigger actions, even callers not "
            "allowed to read"
        )
        yield Finding("admin_read_token", text, ("admin_token",))


def _disabled_reloads(settings: Settings) -> Iterator[Finding]:
    for key, needed in (
        ("haproxy_reload_disabled", "haproxysocketaddr"),
        ("nginx_reload_disabled", "nginxplusapiaddr"),
    ):
        if getattr(settings, key) and not getattr(settings, needed):
            text = f"needs {needed}; without it no change could ever reach the proxy"
            yield Finding(key, text, (needed,))


def _empty_keys(settings: Settings) -> Iterator[Finding]:
    for key in PLATFORM_KEYS[settings.proxy_platform].needed(settings):
        if not getattr(settings, key).strip():
            text = f'must not be empty with proxy_platform = "{settings.proxy_platform}"'
            yield Finding(key, text, ("proxy_platform", "haproxy_master_socket"))


def _leader_vhosts(settings: Settings) -> Iterator[Finding]:
    """A vhost leads to a single cluster's controllers; it is compared as vhosts are spelled."""
    owners: dict[str, str] = {}
    for namespace in settings.namespaces:
        vhost = vhost_spelling(namespace.leader_vhost.strip())
        owner = owners.setdefault(vhost, namespace.name) if vhost else namespace.name
        if owner != namespace.name:
            text = (
                f"{quoted(owner)} and {quoted(namespace.name)} have the same leader_vhost "
                f"{quoted(vhost)}; requests could only reach the controllers of one of them"
            )
            yield Finding("namespaces", text)


def cautions(settings: Settings) -> Iterator[Finding]:
    """Return what is usable but should be reviewed."""
    if not settings.admin_token and not is_loopback(settings.address):
        text = "anyone who can reach the HTTP API there can trigger actions; set admin_token"
        yield Finding("address", text, ("admin_token",))
    if without_declared_secrets(settings.xproxy) != settings.xproxy:
        text = "seems to contain a secret, and the templates send it to every client in X-Proxy"
        yield Finding("xproxy", text)
    if settings.nginxplusapi_skip_verify:
        yield Finding("nginxplusapi_skip_verify", "NGINX Plus's certificate is not verified")
    if settings.nginxplusapi_user and not settings.nginxplusapi_pass:
        yield Finding("nginxplusapi_user", "is set without nginxplusapi_pass")
    if settings.nginxplusapi_pass and not settings.nginxplusapi_user:
        yield Finding("nginxplusapi_pass", "has no effect without nginxplusapi_user")


def namespace_cautions(namespace: NamespaceSettings) -> Iterator[Finding]:
    """Return the cautions about a namespace."""
    yield from _realm(namespace)
    if namespace.user and not namespace.password:
        yield Finding("user", "is set without pass, so an empty password is sent")
    if namespace.password and not namespace.user:
        yield Finding("pass", "has no effect without user")
    if namespace.user and namespace.access_token:
        yield Finding("access_token", "is sent; user and pass have no effect")
    if namespace.tls_skip_verify:
        yield Finding("tls_skip_verify", "the controllers' certificates are not verified")


def _realm(namespace: NamespaceSettings) -> Iterator[Finding]:
    vhosts = [vhost.strip() for vhost in namespace.realm.split(",") if vhost.strip()]
    if namespace.realm and not vhosts:
        rest = "" if namespace.realm_suffix.strip() else ", so nothing of the namespace is served"
        yield Finding("realm", f"names no vhost{rest}", ("realm_suffix",))
    if namespace.realm_suffix and not namespace.realm_suffix.strip():
        yield Finding("realm_suffix", "is blank, so no vhost ends in it")
    for vhost in vhosts:
        if "*" in vhost:
            text = (
                f"has exact names, so {quoted(vhost)} is only the vhost of that name; for every "
                "vhost with an ending, set realm_suffix"
            )
            yield Finding("realm", text)
            return
