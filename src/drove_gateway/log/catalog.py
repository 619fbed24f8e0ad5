"""Every kind of log line, declared once: its name, level, message and fields.

A line is written by its `LogEvent` only, so a line that is not declared here cannot be written.
The reference is generated from these declarations. The names are stable: alerts and searches may
rely on them. A message says what happened, what still works, and what to do; the fields say which
object, and the cause in the proxy's or controller's own words.
"""

import enum

from drove_gateway.log.line import debug as _debug
from drove_gateway.log.line import error as _error
from drove_gateway.log.line import info as _info
from drove_gateway.log.line import warning as _warning
from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.records import STAGES_BEFORE

_APPLY = (
    "took_ms",
    *(f"{stage}_ms" for stage in (*STAGES_BEFORE, *ApplyStage)),
    "reloaded",
    "triggers",
    "reasons",
    "steps",
    "subjects",
)


@enum.unique
class LogEvent(enum.Enum):
    """The kinds of lines. A kind's name in the log is its member's name in lower case."""

    # The daemon.
    HTTP_API_LISTENS = _info("the HTTP API is listening", "address", "port")
    HTTP_API_FULL = _warning(
        "the HTTP API has too many connections: the longest idle are closed for new connections; "
        "traffic is unaffected",
        "limit",
    )
    CONFIGURATION_REVIEW = _warning(
        "the configuration is in use, but this part of it should be reviewed", "problem"
    )
    CONFIGURATION_VALUE_REPLACED = _error(
        "a value of the configuration is wrong and another is used instead; correct it", "problem"
    )
    CONFIGURATION_CHANGED = _info("SIGHUP: the configuration changed and is used from now on")
    CONFIGURATION_UNCHANGED = _info(
        "SIGHUP: the configuration is unchanged; fetching and applying again"
    )
    CONFIGURATION_REFUSED = _warning(
        "SIGHUP: the changed configuration cannot be used, so the previous configuration stays in "
        "use; correct it and send SIGHUP again",
        "problem",
    )
    LIBRARY_REPORT = _error(
        "a library reports an error that the gateway survived: traffic is unaffected; report it",
        "library",
        "error",
    )
    OLD_WORKERS_DELAY_RELOADS = _warning(
        "many old workers of the proxy still finish connections of before a reload: changes that "
        "need a reload wait for up to reload_max_interval_sec; look for an app that keeps "
        "changing, or lower worker_shutdown_timeout (NGINX) or hard-stop-after (HAProxy)",
        "old_workers",
        "old_workers_mb",
        "reload_interval_sec",
    )
    OLD_WORKERS_ENDED = _info("old workers no longer delay reloads", "old_workers")
    PROXY_RESTART_ANNOUNCED = _info(
        "SIGUSR1: the proxy is about to restart and is left alone until SIGUSR2", "limit_sec"
    )
    PROXY_RESTART_ENDED = _info("SIGUSR2: bringing the restarted proxy up to date")
    PROXY_RESTART_OVERDUE = _warning(
        "no SIGUSR2 followed SIGUSR1 in time: changes are applied again; check that the proxy "
        "restarted"
    )
    STEP_ABANDONED = _warning(
        "the step in progress does not end and is abandoned; the next start completes it",
        "waited_sec",
    )
    STOP_ABANDONED = _warning(
        "the gateway ends although a thread still waits, probably for a disk that hangs; traffic "
        "is unaffected; the next start completes what is missing; check the disk of "
        "state_persistence_dir and of the proxy's configuration"
    )
    CHANGE_ABANDONED = _error(
        "SIGHUP: the gateway cannot stop what runs with the previous configuration and ends, so "
        "that systemd or the container starts it again; traffic is unaffected; report it"
    )
    GATEWAY_STOPPED = _info("the gateway stopped; traffic is unaffected")

    # Controllers.
    CONTROLLERS_PINGED = _debug("pinged the controllers", "namespace", "pings")
    EVENTS_POLLED = _debug(
        "polled the events", "namespace", "controller", "events", "last_sync", "took_ms"
    )
    EVENTS_POLL_FAILED = _debug(
        "polled the events without success; the endpoints are fetched instead",
        "namespace",
        "controller",
        "error",
        "took_ms",
    )
    ENDPOINTS_FETCHED = _debug(
        "fetched the endpoints",
        "namespace",
        "controller",
        "scope",
        "apps",
        "accepted",
        "took_ms",
    )
    LEADER_FOLLOWED = _info("following the leader", "namespace", "controller")
    LEADER_LOST = _warning(
        "no controller leads: the last known apps stay in traffic; check the controllers and the "
        "gateway's credentials",
        "namespace",
        "reasons",
    )
    LEADER_STILL_LOST = _warning(
        "still no controller leads, for other reasons than before: the last known apps stay in "
        "traffic; check the controllers and the gateway's credentials",
        "namespace",
        "reasons",
    )
    LEADER_BACK = _info("a controller leads again", "namespace", "after_sec")
    SYNC_FAILED = _warning(
        "the leader's apps cannot be fetched: the last known apps stay in traffic, and the "
        "gateway retries",
        "namespace",
        "error",
    )
    SYNC_RESTORED = _info("the leader's apps can be fetched again", "namespace", "controller")
    APP_FILTER_IGNORED = _info(
        "the controller ignores which apps are requested: all apps are fetched each time",
        "namespace",
        "controller",
    )
    UNANNOUNCED_CHANGES_FETCHED = _info(
        "the full fetch found changes that no event announced",
        "namespace",
        "controller",
        "apps",
        "count",
    )

    # What is accepted of the controllers' responses.
    INPUT_REJECTED = _warning(
        "an entry from the controller was left out; everything else is served; correct the entry "
        "in the app's specification",
        "namespace",
        "app",
        "subject",
        "value",
        "reason",
    )
    SERVERS_WITHDRAWN = _info("servers leave traffic", "namespace", "vhost", "servers", "reason")
    MORE_SERVERS_WITHDRAWN = _info(
        "servers of further vhosts leave traffic, for the same kinds of reasons",
        "vhosts",
        "servers",
    )
    WITHDRAWAL_HELD = _warning(
        "a withdrawal is on hold: these servers keep their traffic; if they should leave now, run "
        "`drove-gateway accept`",
        "namespace",
        "vhost",
        "servers",
        "reason",
        "known",
        "ends",
    )
    MORE_WITHDRAWALS_HELD = _warning(
        "withdrawals of further vhosts are on hold: their servers keep their traffic; "
        "`drove-gateway status` lists them",
        "vhosts",
        "servers",
    )
    HOLD_ENDED = _info("a held withdrawal is over", "namespace", "vhost")

    # The stored state.
    STORED_STATE_SERVED = _warning(
        "no controller responds: the namespace is served from the stored state; check the "
        "controllers",
        "namespace",
        "state_of",
        "tries",
    )
    NOTHING_STORED = _warning(
        "no controller responds and no state is stored: what the proxy serves of the namespace "
        "stays as it is; check the controllers",
        "namespace",
        "servers",
        "tries",
    )
    CONTROLLER_RESPONDED = _info(
        "a controller responds: the stored state is no longer served", "namespace"
    )
    STORED_STATE_UNUSABLE = _warning(
        "starting without a stored state; with a controller this does not matter", "problem"
    )
    STATE_NOT_STORED = _warning(
        "the state cannot be stored, so a start without controllers would not know the newest "
        "changes; traffic is unaffected; the gateway retries",
        "problem",
    )
    STATE_STORED_AGAIN = _info("the state is stored again", "path")
    HISTORY_UNUSABLE = _warning(
        "starting without the history of earlier runs; nothing else is affected", "problem"
    )
    HISTORY_DAMAGED = _warning(
        "lines of the history cannot be read: they are left out, the others are kept",
        "path",
        "count",
    )
    HISTORY_NOT_STORED = _warning(
        "the history cannot be stored and is kept in memory; the gateway retries", "problem"
    )
    HISTORY_STORED_AGAIN = _info("the history is stored again", "path")

    # Applies.
    APPLIED = _info("applied", *_APPLY)
    APPLIED_IN_PART = _warning(
        "applied, except for some vhosts: they stay as they were, and the gateway retries; "
        "`drove-gateway explain VHOST` says what to do",
        "failed",
        *_APPLY,
    )
    APPLY_FAILED = _error(
        "apply failed: the proxy keeps serving what it had, and the gateway retries",
        "error",
        *_APPLY,
    )
    OWNERSHIP_UNKNOWN = _warning(
        "another gateway that writes the same file would not be noticed: the lock cannot be taken; "
        "make the directory writable for the gateway, on a file system with locks",
        "error",
    )
    FOREIGN_FILE_KEPT = _warning(
        "the proxy's configuration was not written by this gateway: a copy of it is kept",
        "path",
        "copy",
    )
    TEMPLATE_UNUSABLE = _warning(
        "the template cannot be used: the proxy keeps what it has, and changes of the cluster are "
        "made with the last good template, if there is any; repair the template",
        "path",
        "error",
    )
    TEMPLATE_USABLE_AGAIN = _info("the template is in use again", "path")
    FILE_NOT_WRITTEN = _error(
        "the configuration file could not be written: traffic is unaffected, but the proxy's next "
        "start would load an older configuration",
        "error",
    )
    FILE_WRITTEN = _debug("the configuration file is written for the proxy's next start")

    CERTIFICATE_RENEWED = _info("a certificate was renewed", "path", "expires")
    CERTIFICATE_REFUSED = _error(
        "a certificate cannot be used: the proxy serves the certificate that it has; repair the "
        "file, which must hold the certificate, its chain and its private key",
        "path",
        "error",
    )
    CERTIFICATE_BROKEN = _error(
        "a certificate cannot be used, and the proxy reads its file itself: until the file is "
        "repaired, handshakes for its names may fail, and reloads too; it must hold the "
        "certificate, its chain and its private key",
        "path",
        "error",
    )
    CERTIFICATES_NOT_FOLLOWED = _warning(
        "certificates cannot be followed: the proxy serves those that it has, and the gateway "
        "retries",
        "error",
    )

    # The runtime API.
    RUNTIME_COMMAND = _debug(
        "sent a command to the runtime API", "proxy", "command", "reply", "took_ms"
    )
    RUNTIME_API_SILENT = _warning(
        "the runtime API does not answer: the proxy serves the servers that it has, and the "
        "gateway retries; check that the proxy runs and that the gateway may use its API",
        "proxy",
        "error",
    )
    RUNTIME_API_BACK = _info("the runtime API answers again", "proxy", "after_sec")
    PROXY_RELOADED = _debug("the gateway reloaded the proxy", "proxy", "pid")
    PROXY_REPLACED = _warning(
        "the proxy was restarted or reloaded by someone else: its servers are read again",
        "proxy",
        "reason",
        "pid",
        "earlier_pid",
        "version",
    )
    NEW_PROCESS_NOT_SEEN = _warning(
        "the runtime API does not show the new process after a reload; the gateway keeps looking",
        "proxy",
    )
    RELOAD_FIRST = _warning(
        "servers cannot be changed before the reload; the reload changes them", "error"
    )
    DRIFT_FOUND = _warning(
        "the proxy's servers differ from the desired state: they are corrected",
        "proxy",
        "servers",
        "first",
    )
    CHANGES_UNDONE = _warning(
        "another program keeps undoing this gateway's changes: each is restored again; look for a "
        "second drove-gateway on another machine, or a tool that manages the configuration",
        "proxy",
        "first",
        "count",
    )
    CHANGES_LAST = _info("no other program undoes this gateway's changes any more", "proxy")
    AUDIT_FAILED = _warning(
        "the proxy's servers cannot be audited; the gateway retries", "proxy", "error"
    )
    SERVERS_DELETED = _info("removed servers are deleted", "deleted", "cut_at_deadline", "waiting")
    SERVERS_NOT_DELETED = _warning(
        "removed servers cannot be deleted yet: they get no new requests, and the gateway retries",
        "backend",
        "error",
    )
    SERVER_NOT_DELETED = _warning(
        "a removed server cannot be deleted yet: it gets no new requests, and the gateway retries",
        "server",
        "error",
    )
    SERVER_STAYS_IN_MAINTENANCE = _warning(
        "a removed server cannot be deleted: it stays in maintenance until the next reload",
        "server",
        "error",
    )
    BACKENDS_DELETED = _info("removed backends are deleted", "backends")
    BACKENDS_NOT_DELETED = _warning(
        "removed backends cannot be deleted yet: no request reaches them, and the gateway retries",
        "error",
    )
    BACKEND_NOT_DELETED = _warning(
        "a removed backend cannot be deleted yet: no request reaches it, and the gateway retries",
        "backend",
        "error",
    )
    HEALTH_CHECKS_UNKNOWN = _warning(
        "the health checks of new servers cannot be read yet; the gateway retries", "error"
    )
    NEW_SERVERS_NOT_ADMITTED = _warning(
        "new servers may have been left out of traffic when the gateway ended; its next start "
        "adds them",
        "error",
    )
    OPERATOR_STATE_RESTORED = _info(
        "the reload kept what an operator had set on servers", "servers"
    )
    OPERATOR_STATE_LOST = _error(
        "a reload lost what an operator had set on servers; set it again", "servers", "error"
    )

    DICTIONARY_FULL = _error(
        "the Lua balancer's dictionary is full: these upstreams serve what the file lists, and "
        "change by reloads",
        "count",
        "limit",
    )
    CHANGED_ONE_BY_ONE = _warning(
        "the Lua balancer refuses to change many upstreams in one call: they are changed one by "
        "one",
        "error",
    )

    # The container's processes.
    PROCESS_STARTED = _info("a process of the container started", "process", "pid")
    PROCESS_RESTARTS = _error(
        "a process of the container ended: it is restarted", "process", "how", "in_sec"
    )
    PROXY_FINISHES = _info(
        "the container stops: the proxy finishes its running requests",
        "signal",
        "process",
        "limit_sec",
    )
    PROCESS_DOES_NOT_END = _warning(
        "a process of the container does not end: its remaining requests are aborted",
        "process",
        "waited_sec",
    )
    CONTAINER_STOPPED = _info("the container's processes stopped")

    @property
    def label(self) -> str:
        """The name in the log."""
        return self.name.lower()
