"""The keys for every proxy, each declared once: name, type, default, help."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from drove_gateway.config.fields import (
    LogLevel,
    Name,
    Port,
    PrintableLine,
    ProxyPlatform,
    Seconds,
    SecondsOrNone,
    Section,
    Share,
    Token,
)


class General(Section):
    """The gateway itself: addresses, logging, time limits."""

    address: str = Field(
        default="127.0.0.1",
        description="Address that the HTTP API (health, metrics, actions) listens on. Set it to "
        '"0.0.0.0" or a routed address only if a monitoring system must reach it.',
    )
    port: Port = Field(
        default=6000,
        description='Port of the HTTP API, as a number or in quotes ("6000"). 0 chooses any free '
        "port.",
    )
    port_use_tls: bool = Field(
        default=False,
        description="Whether the HTTP API uses TLS (1.2 or newer). Requires `port_tls_certfile` "
        "and `port_tls_keyfile`.",
    )
    port_tls_certfile: str = Field(
        default="", description="Path of the certificate (PEM, with its chain) for `port_use_tls`."
    )
    port_tls_keyfile: str = Field(
        default="", description="Path of the private key for `port_use_tls`."
    )
    loglevel: LogLevel = Field(
        default="info",
        description="Lowest level that is logged. `debug` shows each poll and each runtime "
        "command.",
    )
    xproxy: PrintableLine = Field(
        default="",
        description="Name of this load balancer, `.Xproxy` in templates, for a header that shows "
        "which load balancer served a request. Empty means the host name.",
    )
    api_timeout: Seconds = Field(
        default=10.0,
        description="Time limit in seconds for a request to a controller. Raise it for clusters so "
        "large that `/apis/v1/endpoints` takes longer.",
    )
    dns_resolution_timeout_sec: Seconds = Field(
        default=2.0,
        description="Time limit in seconds for resolving a host name. The runtime APIs of the "
        "proxies accept only addresses, so the gateway resolves names; while the resolver fails, "
        "the last known address stays in use.",
    )
    event_refresh_interval_sec: Seconds = Field(
        default=5.0,
        description="Seconds between two polls for events of the leading controller. Lower is "
        "faster: a change waits half of it on average. A poll is a small request.",
    )
    proxy_platform: ProxyPlatform = Field(
        default="nginx",
        description='The proxy to configure: "nginx" (NGINX, OpenResty, NGINX Plus) or "haproxy".',
    )
    left_delimiter: str = Field(
        default="",
        description="Left delimiter of template actions. Empty means `{{`.",
    )
    right_delimiter: str = Field(
        default="",
        description="Right delimiter of template actions. Empty means `}}`.",
    )

    @property
    def delimiters(self) -> tuple[str, str]:
        """The left and right delimiter of template actions."""
        return self.left_delimiter or "{{", self.right_delimiter or "}}"


class GeneralBeyond(Section):
    """Access to the gateway, pace, safety and stored state."""

    admin_token: Token = Field(
        default=SecretStr(""),
        description="Token that the HTTP API requires for actions (`/v1/reload`, `/v1/accept`), as "
        "`Authorization: Bearer TOKEN`. If it is empty, every client that reaches the API may act.",
    )
    admin_read_token: Token = Field(
        default=SecretStr(""),
        description="Token that the HTTP API requires for reading, except for `/` and "
        "`/v1/health`; `admin_token` is accepted too. If it is empty, every client may read. "
        "Requires `admin_token`.",
    )
    admin_allowed_hosts: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        default=(),
        examples=[["gateway.example.com"]],
        description="Names under which the HTTP API may be used on a loopback address without "
        "tokens, beside addresses and `localhost`, such as that of a web server in front of it. "
        "Requests with another `Host` are refused except for `/` and `/v1/health`, because a web "
        "page could send them (DNS rebinding).",
    )
    log_format: Literal["logfmt", "json"] = Field(
        default="logfmt",
        description='How a log line is written: "logfmt" (`time=… level=info event=… msg="…" '
        'key=value`) or "json", an object with the same keys.',
    )
    ping_interval_sec: Seconds = Field(
        default=2.0,
        description="Seconds between two pings of each controller. A new leader is found within "
        "this time.",
    )
    event_burst_interval_sec: Seconds = Field(
        default=0.5,
        description="Seconds between two polls for events for a while after a change, because "
        "changes come in bursts. Never slower than `event_refresh_interval_sec`; a slow or failing "
        "controller is polled at the normal interval.",
    )
    full_refresh_interval_sec: Seconds = Field(
        default=60.0,
        description="Seconds after which all endpoints are fetched even without an event. This "
        "covers changes that no event announced; they are logged and counted.",
    )
    template_watch: bool = Field(
        default=True,
        description="Whether a changed template is used within a second after it is saved. If "
        "false, it waits for SIGHUP (`systemctl reload drove-gateway`) or a start; `check` shows "
        "what it would change, and `status` says that it waits.",
    )
    write_in_place: bool = Field(
        default=False,
        description="Whether the proxy's configuration file is written over, after a good check, "
        "where it cannot be replaced because it is mounted as a single file. An interruption may "
        "then leave a part of it; mounting the file's directory is safer.",
    )
    command_timeout_sec: Seconds = Field(
        default=30.0,
        description="Seconds after which a command of the proxy (check, reload) is killed and "
        "counts as failed. Raise it for checks of very large configurations.",
    )
    apply_quiet_sec: SecondsOrNone = Field(
        default=0.05,
        description="After the first change, seconds without another change before it is applied, "
        "so that related changes are applied together.",
    )
    apply_max_wait_sec: SecondsOrNone = Field(
        default=0.5,
        description="Maximum of that wait in seconds, however many changes arrive.",
    )
    reload_min_interval_sec: SecondsOrNone = Field(
        default=1.0,
        description="Minimum seconds between two reloads. Every reload leaves old worker processes "
        "running until their connections end; raise it if memory is scarce.",
    )
    reload_max_interval_sec: SecondsOrNone = Field(
        default=30.0,
        description="Seconds between two reloads while many old worker processes are left, "
        "because of WebSockets or long downloads: the interval grows from "
        "`reload_min_interval_sec` to this with their number and memory. No change that needs a "
        "reload waits longer for them.",
    )
    structure_reload_min_interval_sec: SecondsOrNone = Field(
        default=60.0,
        description="With the template nginx-lua: seconds after which a reload brings the blocks "
        "of new vhosts, which the default server serves until then. Vhosts that come meanwhile "
        "share it; while old worker processes of several reloads are left, it waits longer.",
    )
    drain_timeout_sec: SecondsOrNone = Field(
        default=30.0,
        description="Seconds in which a removed server may finish its running requests before it "
        "is deleted. Raise it for long downloads or WebSockets. 0 does not wait.",
    )
    drain_timeout_tag: str = Field(
        default="",
        description="Name of a Drove tag whose value, in seconds, replaces `drain_timeout_sec` for "
        "the app's vhost. Empty means none.",
    )
    audit_interval_sec: Seconds = Field(
        default=30.0,
        description="Seconds between two full comparisons with the proxy's runtime state and file, "
        "which find and repair changes by others. Small comparisons run more often, those of very "
        "large clusters less often.",
    )
    guard_vhost_share: Share = Field(
        default=0.5,
        description="Servers that leave a response without a reason, and accept connections, are "
        "held in traffic if they are this share of their vhost's servers, or more, within five "
        "minutes. The last servers of a vhost are always held.",
    )
    guard_namespace_share: Share = Field(
        default=0.2,
        description="The same for the share of a namespace's servers.",
    )
    guard_overall_share: Share = Field(
        default=0.2,
        description="The same for the share of the servers of all namespaces.",
    )
    guard_exempt_servers: int = Field(
        default=5,
        ge=0,
        description="A loss of this many servers within five minutes, or fewer, is not held, "
        "whatever its share, unless they are the last servers of their vhost.",
    )
    guard_hold_sec: SecondsOrNone = Field(
        default=60.0,
        description="Seconds after which a held withdrawal is applied with the next response, if "
        "several responses agree on it; at least five minutes if the leader is new, or if it has "
        "been held since the gateway started. `drove-gateway accept` applies it immediately.",
    )
    guard_probe: bool = Field(
        default=True,
        description="Whether the gateway connects to servers that are missing from a response, "
        "over TCP, to find out if they are alive. A dead server is not held. Set it to false if "
        "the gateway's machine cannot reach the servers that the proxy reaches.",
    )
    state_persistence_enabled: bool = Field(
        default=True,
        description="Whether the last applied state is stored on disk, so that a start without "
        "controllers serves it and the first responses are weighed against it.",
    )
    state_persistence_dir: Name = Field(
        default="/var/lib/drove-gateway",
        description="Directory of that state, the file `datamanager-state.json`. It is created if "
        "it does not exist. Each gateway needs its own directory; a directory that cannot be "
        "written causes a warning.",
    )
    startup_controller_sync_tries: int = Field(
        default=2,
        ge=1,
        description="Number of failed attempts to reach a namespace's controllers at startup "
        "before its stored state is used. Without a stored state the gateway starts without the "
        "namespace.",
    )
    startup_controller_sync_retry_delay_sec: SecondsOrNone = Field(
        default=1.0,
        description="Seconds between two of these attempts.",
    )
