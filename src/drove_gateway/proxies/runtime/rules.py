"""What of the settings the engine depends on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from drove_gateway.model.vocabulary import App
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.desired import DesiredServers, drain_seconds
from drove_gateway.proxies.runtime.resolver import Resolver

if TYPE_CHECKING:
    from drove_gateway.config.settings import Settings


class RuntimeRules(msgspec.Struct, frozen=True):
    """How servers are drained and audited. Times are in seconds.

    `drain_timeout_tag` names the tag whose value replaces `drain_timeout` for its vhost. `owned`
    has the vhosts that the realms name one by one. Without reloads, a backend of such a name
    loses its servers also when this process never saw its vhost, once the vhost has been missing
    for `orphan_patience`: a leader that is new does not know all its instances yet. A reload that
    may wait comes `structure_interval` after the first change that needs it.
    """

    drain_timeout: float = 30.0
    drain_timeout_tag: str = ""
    audit_interval: float = 30.0
    watch_interval: float = 0.5
    structure_interval: float = 60.0
    owned: frozenset[str] = frozenset()
    orphan_patience: float = 120.0


def runtime_rules(settings: "Settings", owned: Iterable[str] = ()) -> RuntimeRules:
    """The rules as `settings` state them; the realms name the vhosts `owned`."""
    return RuntimeRules(
        drain_timeout=settings.drain_timeout_sec,
        drain_timeout_tag=settings.drain_timeout_tag,
        audit_interval=settings.audit_interval_sec,
        structure_interval=settings.structure_reload_min_interval_sec,
        owned=frozenset(owned),
    )


def desired_servers(
    rules: RuntimeRules, adapter: Adapter, resolver: Resolver, *, reloads: bool
) -> DesiredServers:
    """The desired servers as `rules` drain them.

    Where servers live in the proxy alone, a reload takes the backends of vhosts that left away
    with them: their servers must be out before.
    """

    def seconds(app: App) -> float:
        return drain_seconds(app.tags, rules.drain_timeout_tag, rules.drain_timeout)

    at_once = reloads and not adapter.abilities.file_has_servers
    return DesiredServers(adapter, resolver, seconds, (lambda _: 0.0) if at_once else seconds)
