"""Settings to the values that the gateway's parts take. Nothing starts here."""

from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.config import Settings
from drove_gateway.daemon.startup import StartupPatience
from drove_gateway.drove.pace import PollPace
from drove_gateway.reconciler.schedule import ApplyPace


def guard_limits(settings: Settings) -> GuardLimits:
    """Return how much may be lost at once."""
    return GuardLimits(
        vhost=settings.guard_vhost_share,
        namespace=settings.guard_namespace_share,
        overall=settings.guard_overall_share,
        exempt=settings.guard_exempt_servers,
        hold=settings.guard_hold_sec,
    )


def apply_pace(settings: Settings) -> ApplyPace:
    """Return how changes are collected and how far apart reloads are."""
    return ApplyPace(
        quiet=settings.apply_quiet_sec,
        longest=settings.apply_max_wait_sec,
        between_reloads=settings.reload_min_interval_sec,
        longest_between_reloads=settings.reload_max_interval_sec,
    )


def poll_pace(settings: Settings) -> PollPace:
    """Return how often controllers are asked."""
    return PollPace(
        ping=settings.ping_interval_sec,
        events=settings.event_refresh_interval_sec,
        full_refresh=settings.full_refresh_interval_sec,
        burst=settings.event_burst_interval_sec,
    )


def startup_patience(settings: Settings) -> StartupPatience:
    """Return how long the startup waits for controllers."""
    return StartupPatience(
        tries=settings.startup_controller_sync_tries,
        delay=settings.startup_controller_sync_retry_delay_sec,
    )
