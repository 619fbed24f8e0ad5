"""The rules of the configured namespaces, for the names that their kind of proxy allows."""

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.proxies.registry import kind_of
from drove_gateway.topology.names import Naming
from drove_gateway.topology.namespace_build import NamespaceRules, parse_rules


def namespace_rules(settings: Settings) -> tuple[NamespaceRules, ...]:
    """Return which vhosts each namespace contributes, in the configured order."""
    naming = kind_of(settings).naming
    return tuple(_rules(namespace, naming) for namespace in settings.namespaces)


def _rules(namespace: NamespaceSettings, naming: Naming | None) -> NamespaceRules:
    return parse_rules(
        namespace.name,
        namespace.realm,
        namespace.realm_suffix,
        namespace.routing_tag,
        namespace.leader_vhost,
        naming,
    )
