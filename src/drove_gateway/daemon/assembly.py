"""Settings to the objects that they describe. Nothing starts here."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.daemon.startup import StartupPatience
from drove_gateway.drove.client import Controller
from drove_gateway.drove.pace import ping_limit
from drove_gateway.drove.session import credentials, open_session
from drove_gateway.model.about import about
from drove_gateway.model.records import StoredState
from drove_gateway.model.vocabulary import Topology
from drove_gateway.reconciler.schedule import ApplyPace
from drove_gateway.state.document import StoredNamespace
from drove_gateway.state.file import NAME as STATE_FILE
from drove_gateway.state.keeper import StateKeeper, StateOwner, read_state
from drove_gateway.topology.build import NamespaceRules, build, parse_rules
from drove_gateway.topology.guard import GuardLimits


def namespace_rules(settings: Settings) -> tuple[NamespaceRules, ...]:
    """Which vhosts each namespace gives, in the configured order."""
    return tuple(_rules(namespace) for namespace in settings.namespaces)


def _rules(namespace: NamespaceSettings) -> NamespaceRules:
    return parse_rules(
        namespace.name,
        namespace.realm,
        namespace.realm_suffix,
        namespace.routing_tag,
        namespace.leader_vhost,
    )


@asynccontextmanager
async def controllers(
    settings: Settings, namespace: NamespaceSettings
) -> AsyncIterator[tuple[Controller, ...]]:
    """A namespace's controllers, with one session for all. Raises ConfigError for a bad CA file."""
    allowed = credentials(
        user=namespace.user,
        password=namespace.password.get_secret_value(),
        access_token=namespace.access_token.get_secret_value(),
    )
    session = open_session(
        allowed, tls_ca_file=namespace.tls_ca_file, tls_skip_verify=namespace.tls_skip_verify
    )
    async with session:
        yield tuple(
            Controller(
                url,
                namespace=namespace.name,
                session=session,
                credentials=allowed,
                api_timeout=settings.api_timeout,
                ping_timeout=ping_limit(settings.ping_interval_sec, settings.api_timeout),
            )
            for url in namespace.drove
        )


def limits(settings: Settings) -> GuardLimits:
    """What is too much to lose at once."""
    return GuardLimits(
        vhost=settings.guard_vhost_share,
        namespace=settings.guard_namespace_share,
        overall=settings.guard_overall_share,
        exempt=settings.guard_exempt_servers,
        hold=settings.guard_hold_sec,
    )


def pace(settings: Settings) -> ApplyPace:
    """How changes are collected and reloads spaced."""
    return ApplyPace(
        quiet=settings.apply_quiet_sec,
        longest=settings.apply_max_wait_sec,
        between_reloads=settings.reload_min_interval_sec,
    )


def patience(settings: Settings) -> StartupPatience:
    """How long the start waits for controllers."""
    return StartupPatience(
        tries=settings.startup_controller_sync_tries,
        delay=settings.startup_controller_sync_retry_delay_sec,
    )


def keeper(
    settings: Settings, publish: Callable[[StoredState], None], log: FilteringBoundLogger
) -> StateKeeper:
    """What keeps the state on disk, if it is to be kept."""
    return StateKeeper(
        _state_file(settings),
        _owner(settings),
        {one.name: one.drove for one in settings.namespaces},
        publish=publish,
        log=log,
    )


def stored_state(settings: Settings) -> Mapping[str, StoredNamespace]:
    """What is on disk of what was applied, by namespace; the file is only read.

    Raises StateError when it cannot be used.
    """
    path = _state_file(settings)
    kept = read_state(path, _owner(settings)).namespaces if path else ()
    configured = {one.name for one in settings.namespaces}
    return {one.snapshot.namespace: one for one in kept if one.snapshot.namespace in configured}


def _state_file(settings: Settings) -> Path | None:
    enabled = settings.state_persistence_enabled
    return Path(settings.state_persistence_dir) / STATE_FILE if enabled else None


def _owner(settings: Settings) -> StateOwner:
    return StateOwner(gateway=about().version, proxy=_driven(settings))


def _driven(settings: Settings) -> str:
    """Which proxy is driven, so that another gateway's state is told from this one's."""
    if settings.proxy_platform == "haproxy":
        without_file, file = settings.haproxy_reload_disabled, settings.haproxy_config
        api = settings.haproxysocketaddr
    else:
        without_file, file = settings.nginx_reload_disabled, settings.nginx_config
        api = settings.nginxplusapiaddr
    return f"{settings.proxy_platform} {api if without_file else Path(file).absolute()}"


def remembered_topology(
    settings: Settings, remembered: Mapping[str, StoredNamespace]
) -> Topology | None:
    """What an earlier run applied, as the present rules build it; None where nothing is known."""
    if not remembered:
        return None
    snapshots = {name: one.snapshot for name, one in remembered.items()}
    return build(snapshots, namespace_rules(settings)).topology
