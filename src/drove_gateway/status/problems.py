"""What an engineer on call should look at, each with its cause and what helps. Pure."""

from collections.abc import Iterator

import msgspec

from drove_gateway.model.health import PENDING, FaultOfSome, HealthSection
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.wording import count_of, first_and_more, old_workers_left
from drove_gateway.status.status import Status

_MOST_NAMED = 5
_CREDENTIALS = (
    "correct `user` and `pass`, or `access_token`, of the namespace in nixy.toml, then run "
    "systemctl reload drove-gateway"
)
_ADDRESSES = "check that the controllers run, and `drove` of the namespace in nixy.toml"


class Problem(msgspec.Struct, frozen=True):
    """Something that is not as it should be: `what`, the `cause` in the words of the proxy or the
    controller, and `helps`: a command to type, or what to change. `vhost` is set where it helps to
    accept the withdrawal of its servers. `name` stays the same while the numbers in `what` change;
    `since` is when the problem was noticed, in Unix seconds."""

    what: str
    cause: str
    helps: str = ""
    vhost: str = ""
    name: str = ""
    since: float | None = None

    @property
    def key(self) -> str:
        """What identifies the problem for as long as it lasts."""
        return self.name or self.what


def problems(status: Status) -> tuple[Problem, ...]:
    """Return what is wrong, the worst first."""
    since = status.since
    return tuple(
        msgspec.structs.replace(each, since=since.get(each.key)) for each in _problems(status)
    )


def _problems(status: Status) -> tuple[Problem, ...]:
    return (
        *of_the_proxy(status),
        *of_controllers(status),
        *of_holds(status),
        *of_vhosts(status),
        *_draining(status),
        *_certificates(status),
        *_rejected(status),
        *_old_workers(status),
        *_other(status),
    )


def of_the_proxy(status: Status) -> Iterator[Problem]:
    """What is wrong with the configuration, the template, the runtime API or the resolver.

    The fault of some vhosts is theirs: `of_vhosts` names it, and nothing else is wrong.
    """
    proxy, own = status.proxy, bool(_failed(status))
    error = status.progress.error
    # What a section's message says is named once, by that section and with what helps there.
    messages = {proxy.template.message, proxy.config.message, proxy.upstream_updates.message}
    if error and not own and error not in messages:
        yield Problem("Changes are not applied", error, "drove-gateway check")
    if _is_bad(proxy.template):
        yield Problem(
            "The template cannot be used",
            proxy.template.message,
            "correct the template; `drove-gateway check` shows whether it can be used",
        )
    if proxy.contested:
        yield Problem(
            "Another program undoes this gateway's changes",
            proxy.contested,
            "stop the other program: look for drove-gateway on other machines",
        )
    elif _is_bad(proxy.config, own=own):
        yield Problem(
            "The configuration is refused", proxy.config.message, "drove-gateway check --diff"
        )
    if _is_bad(proxy.upstream_updates, own=own):
        yield Problem(
            "The runtime API cannot be used",
            proxy.upstream_updates.message,
            "check that the proxy runs, that nixy.toml names its API, and that the gateway's user "
            "may use it: drove-gateway check",
        )
    if _is_bad(proxy.resolver):
        yield Problem(
            "Names cannot be resolved", proxy.resolver.message, "check the machine's resolver"
        )


def _is_bad(section: HealthSection, *, own: bool = False) -> bool:
    """Whether a check failed; before the first check nothing is known. With `own`, vhosts whose
    fault it is are named elsewhere."""
    return not (section.healthy or section == PENDING or (own and isinstance(section, FaultOfSome)))


def _failed(status: Status) -> tuple[tuple[str, str], ...]:
    """The vhosts that the last apply could not bring up to date, unless it failed as a whole."""
    if not status.history or status.history[0].error:
        return ()
    return status.history[0].failed


def of_controllers(status: Status) -> Iterator[Problem]:
    """Namespaces without a leader, or whose apps cannot be fetched."""
    for view in status.namespaces:
        if view.leaderless:
            yield leaderless(view)
        elif view.last_error:
            yield Problem(
                f"Namespace {view.name} cannot be fetched",
                view.last_error,
                "the last known apps stay served",
            )


def leaderless(view: NamespaceView, most: int = _MOST_NAMED) -> Problem:
    """Return why no controller of a namespace leads, in the words of `most` of them."""
    reasons = [f"{each.url}: {each.message}" for each in view.endpoints if not each.healthy]
    denied = any(each.denied for each in view.endpoints)
    return Problem(
        f"No controller of namespace {view.name} leads",
        first_and_more(reasons, most),
        _CREDENTIALS if denied else _ADDRESSES,
    )


def of_holds(status: Status) -> Iterator[Problem]:
    """Withdrawals on hold."""
    for held in status.held:
        yield Problem(
            f"{count_of(held.servers, 'server')} of {', '.join(held.vhosts)} on hold",
            f"{held.reason}; {held.known}",
            accept_command(held.vhosts[0]),
            held.vhosts[0],
            name=f"on hold: {held.namespace} {' '.join(held.vhosts)}",
        )


def accept_command(vhost: str) -> str:
    """Return the command that ends a hold, and when to run it: waiting is safe."""
    return f"drove-gateway accept {vhost}, if the servers should leave now"


def of_vhosts(status: Status) -> Iterator[Problem]:
    """Vhosts that the last apply could not bring up to date."""
    for vhost, reason in _failed(status):
        yield Problem(f"{vhost} is not up to date", reason, f"drove-gateway explain {vhost}")


def _draining(status: Status) -> Iterator[Problem]:
    overdue = status.proxy.overdue
    if overdue:
        yield Problem(
            f"{count_of(len(overdue), 'removed server')} draining past the deadline",
            f"{first_and_more(overdue, _MOST_NAMED, separator=', ')}: not deleted yet, without new "
            "requests; the gateway retries",
            "journalctl -u drove-gateway | grep 'cannot be deleted'",
            name="draining",
        )


def _certificates(status: Status) -> Iterator[Problem]:
    section = status.proxy.certificates
    if _is_bad(section):
        yield Problem(
            "Certificates cannot be used, or expire soon",
            section.message,
            "check what is named; each file holds a certificate, its chain and its private key",
        )


def _rejected(status: Status) -> Iterator[Problem]:
    rejected = status.built.rejected
    if rejected:
        named = [
            f"app {each.app_id}: {each.subject} {each.value}: {each.reason}"
            for each in rejected[:_MOST_NAMED]
        ]
        if more := len(rejected) - len(named):
            named.append(f"and {more:,} more")
        yield Problem(
            f"{len(rejected):,} rejected from Drove",
            "; ".join(named),
            "correct the apps on Drove",
            name="rejected",
        )


def _old_workers(status: Status) -> Iterator[Problem]:
    reloads = status.reloads
    if reloads.delays:
        yield Problem(
            f"Reloads are {reloads.interval:.0f} s apart",
            old_workers_left(reloads.workers.old, reloads.workers.old_memory),
            "lower worker_shutdown_timeout (NGINX) or hard-stop-after (HAProxy) in the template, "
            "or look for an app whose instances keep changing",
            name="old workers",
        )


def _other(status: Status) -> Iterator[Problem]:
    if status.stored.problem:
        yield Problem("The state cannot be stored", status.stored.problem, "check its directory")
    if status.history_problem:
        yield Problem("The history cannot be stored", status.history_problem, "check its directory")
    for name in status.restored:
        yield Problem(
            f"Namespace {name} is served from the stored state",
            "no controller has responded since the start",
            "check the controllers",
        )
