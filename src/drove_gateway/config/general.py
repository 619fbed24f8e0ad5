"""The keys that concern every proxy. One declaration each: name, type, default, help."""

from pydantic import Field, SecretStr

from drove_gateway.config.fields import (
    LogLevel,
    Name,
    Port,
    ProxyPlatform,
    Seconds,
    SecondsOrNone,
    Section,
    Share,
    Token,
)


class General(Section):
    """The gateway itself: where it listens, how it logs, how long it waits."""

    address: str = Field(
        default="127.0.0.1",
        description="Address that the HTTP API (health, metrics, actions) listens on. Set it to "
        '"0.0.0.0" or a routed address only where a monitoring system must reach it.',
    )
    port: Port = Field(
        default=6000,
        description='Port of the HTTP API, as a number or in quotes ("6000"). 0 takes any free '
        "port.",
    )
    port_use_tls: bool = Field(
        default=False,
        description="Whether the HTTP API speaks TLS (1.2 or newer). Needs `port_tls_certfile` "
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
        description="Least level that is logged. `debug` shows each poll and each runtime command.",
    )
    xproxy: str = Field(
        default="",
        description="Name of this load balancer, `.Xproxy` in templates, for a header that tells "
        "which one served a request. Empty means the host name.",
    )
    api_timeout: Seconds = Field(
        default=10.0,
        description="Seconds after which a call to a controller is given up. Raise it for "
        "clusters so large that `/apis/v1/endpoints` takes longer.",
    )
    dns_resolution_timeout_sec: Seconds = Field(
        default=2.0,
        description="Seconds after which the look-up of a host name is given up. The runtime "
        "APIs of the proxies want addresses, so names are resolved here; while the resolver "
        "fails, the last known address stays.",
    )
    event_refresh_interval_sec: Seconds = Field(
        default=5.0,
        description="Seconds between two polls for events of the leading controller. Lower is "
        "faster: a change waits half of it on average. One poll is a small request.",
    )
    proxy_platform: ProxyPlatform = Field(
        default="nginx",
        description='Which proxy is driven: "nginx" (NGINX, OpenResty, NGINX Plus) or "haproxy".',
    )
    left_delimiter: str = Field(
        default="",
        description="Left delimiter of template actions. Empty means `{{`. Set both or none.",
    )
    right_delimiter: str = Field(
        default="",
        description="Right delimiter of template actions. Empty means `}}`. Set both or none.",
    )

    @property
    def delimiters(self) -> tuple[str, str]:
        """What actions stand between in a template."""
        return self.left_delimiter or "{{", self.right_delimiter or "}}"


class GeneralBeyond(Section):
    """Access to the gateway, its pace and safety, and what it remembers."""

    admin_token: Token = Field(
        default=SecretStr(""),
        description="Token that the HTTP API wants for actions (`/v1/reload`, `/v1/accept`), as "
        "`Authorization: Bearer TOKEN`. Empty lets everybody act who reaches the API.",
    )
    admin_read_token: Token = Field(
        default=SecretStr(""),
        description="Token that it wants for reading, but for `/` and `/v1/health`; `admin_token` "
        "is taken as well. Empty lets everybody read. Needs `admin_token`.",
    )

    ping_interval_sec: Seconds = Field(
        default=2.0,
        description="Seconds between two pings of each controller. A new leader is found within "
        "one such interval.",
    )
    full_refresh_interval_sec: Seconds = Field(
        default=60.0,
        description="Seconds after which the endpoints are fetched even when no event asked for "
        "it. A safety net against events that a controller lost.",
    )
    command_timeout_sec: Seconds = Field(
        default=30.0,
        description="Seconds after which a proxy's command (check, reload) is killed and counts "
        "as failed. Raise it for checks of very large configurations.",
    )
    apply_quiet_sec: SecondsOrNone = Field(
        default=0.05,
        description="After a first change, seconds of quiet to wait for before it is applied, so "
        "that what belongs together is applied together.",
    )
    apply_max_wait_sec: SecondsOrNone = Field(
        default=0.5,
        description="Hard maximum of that waiting, in seconds, however many changes arrive.",
    )
    reload_min_interval_sec: SecondsOrNone = Field(
        default=1.0,
        description="Least number of seconds between two reloads. Every reload leaves old worker "
        "processes behind until their connections end; raise it where memory is short.",
    )
    drain_timeout_sec: SecondsOrNone = Field(
        default=30.0,
        description="Seconds that a removed server may take to finish its running requests "
        "before it is deleted. Raise it for long downloads or WebSockets. 0 does not wait.",
    )
    drain_timeout_tag: str = Field(
        default="",
        description="Name of a Drove tag whose value, in seconds, replaces `drain_timeout_sec` "
        "for the vhost of the app that carries it. Empty means none.",
    )
    audit_interval_sec: Seconds = Field(
        default=30.0,
        description="Seconds between two full read-backs of the proxy's runtime state and file, "
        "which find and repair what others changed. Cheap ones are made more often, those of very "
        "large clusters less often.",
    )
    guard_vhost_share: Share = Field(
        default=1.0,
        description="An answer that takes this share of a vhost's servers, or more, is held: the "
        "servers stay until the loss has lasted for `guard_hold_sec`. 1 holds the loss of all.",
    )
    guard_namespace_share: Share = Field(
        default=0.5,
        description="The same for the share of a namespace's servers.",
    )
    guard_overall_share: Share = Field(
        default=0.5,
        description="The same for the share of the servers of all namespaces.",
    )
    guard_exempt_servers: int = Field(
        default=5,
        ge=0,
        description="A loss of so many servers at once, or fewer, is not held, whatever its "
        "share, unless the answer is empty.",
    )
    guard_hold_sec: SecondsOrNone = Field(
        default=60.0,
        description="Seconds after which a held loss is believed, when several answers agree on "
        "it. `POST /v1/accept` believes it at once.",
    )
    state_persistence_enabled: bool = Field(
        default=True,
        description="Whether the last applied state is kept on disk, so that a start without "
        "controllers serves what was known, and the first answers are weighed against it.",
    )
    state_persistence_dir: Name = Field(
        default="/var/lib/drove-gateway",
        description="Directory of that state, the file `datamanager-state.json`. It is made where "
        "it does not exist. Each gateway needs its own; one that cannot be written is a warning.",
    )
    startup_controller_sync_tries: int = Field(
        default=2,
        ge=1,
        description="How many times, at the start, a namespace's controllers are asked in vain "
        "before its stored state is used. Without one the gateway goes on without the namespace.",
    )
    startup_controller_sync_retry_delay_sec: SecondsOrNone = Field(
        default=1.0,
        description="Seconds between two of those tries.",
    )
