"""The keys of HAProxy. One declaration each: name, type, default, help."""

from pydantic import Field

from drove_gateway.config import addresses
from drove_gateway.config.fields import (
    HaproxyNamePart,
    HaproxyServerOptions,
    Section,
    SocketAddressText,
    UnixSocketPath,
)


class Haproxy(Section):
    """HAProxy; used with `proxy_platform = "haproxy"`."""

    haproxy_config: str = Field(
        default="/etc/haproxy/haproxy.cfg",
        description="Path of the configuration file that is written. Its directory must be "
        "writable, a temporary file stands beside it while it is checked.",
    )
    haproxy_template: str = Field(
        default="/etc/haproxy/haproxy.tmpl",
        description="Path of the template. It is read again when it changes; "
        "`drove-gateway template haproxy` prints one to start from.",
    )
    haproxy_cmd: str = Field(
        default="haproxy",
        description="Command that checks (`-f FILE -c`). Split on blanks, never given to a shell.",
    )
    haproxy_reload_cmd: str = Field(
        default="systemctl reload haproxy",
        description="Command that reloads HAProxy. Split on blanks, never given to a shell.",
    )
    haproxy_ignore_check: bool = Field(
        default=False,
        description="Skips `haproxy -c`. Health then always says OK for it. Only where the "
        "command cannot see the file, since a broken file then reaches the reload.",
    )
    haproxy_reload_disabled: bool = Field(
        default=False,
        description="Neither writes the file nor reloads; the runtime API alone is used. Needs "
        "`haproxysocketaddr` and a configuration that has every vhost's backend already.",
    )
    haproxysocketaddr: SocketAddressText = Field(
        default="",
        examples=["/run/haproxy/admin.sock"],
        description="Where HAProxy's runtime API listens (`stats socket … level admin`): a Unix "
        "path, `unix@PATH`, `ipv4@HOST:PORT`, `ipv6@[ADDRESS]:PORT` or HOST:PORT. Endpoint "
        "changes then go through it without a reload. Unset means no runtime API: every change "
        "reloads.",
    )
    haproxy_disable_large_backend_count_optimisation: bool = Field(
        default=False,
        description="Reads the servers backend by backend instead of all at once with one `show "
        "servers state`. Much slower; only for an HAProxy whose combined answer cannot be read.",
    )
    haproxy_server_name_prefix: HaproxyNamePart = Field(
        default="server",
        description="First part of the server names, as in `server_10.0.0.1_31000`. Templates "
        "and the runtime API must agree on it: use it in templates, do not repeat it.",
    )
    haproxy_server_name_host_port_delimiter: HaproxyNamePart = Field(
        default="_",
        description="Stands between prefix, host and port of a server name, and in place of the "
        "colons of an IPv6 address.",
    )
    haproxy_backend_name_separator: HaproxyNamePart = Field(
        default="_", description="Stands between the vhost and the group in a backend's name."
    )
    haproxy_backend_include_routing_tag_suffix: bool = Field(
        default=True,
        description="Where a namespace has a `routing_tag`, makes one backend for each of its "
        "values, named VHOST, separator, value. If false, there is one backend for each vhost.",
    )
    haproxy_add_server_attributes_string: HaproxyServerOptions = Field(
        default="",
        examples=["check inter 2s on-marked-down shutdown-sessions"],
        description="Options for every server that is added over the runtime API, which does not "
        "use `default-server`. With `check`, a new server is probed before it gets traffic.",
    )
    haproxy_add_server_ssl_attributes_string: HaproxyServerOptions = Field(
        default="ssl verify none",
        examples=["ssl verify required ca-file ca-certificates.crt"],
        description="Further options for servers whose port type is https. The default encrypts "
        "and does not verify, as the original does; the table of its documentation shows it "
        "empty, which would speak plain HTTP to them.",
    )

    @property
    def haproxy_argv(self) -> tuple[str, ...]:
        """`haproxy_cmd` as a program and its arguments."""
        return tuple(self.haproxy_cmd.split())

    @property
    def haproxy_reload_argv(self) -> tuple[str, ...]:
        """`haproxy_reload_cmd` as a program and its arguments."""
        return tuple(self.haproxy_reload_cmd.split())

    @property
    def haproxy_socket(self) -> addresses.SocketAddress | None:
        """`haproxysocketaddr` as an address, None where no runtime API is used."""
        if not self.haproxysocketaddr:
            return None
        return addresses.socket_address(self.haproxysocketaddr)


class HaproxyBeyond(Section):
    """Reloads over HAProxy's master socket."""

    haproxy_master_socket: UnixSocketPath = Field(
        default="",
        examples=["/run/haproxy/master.sock"],
        description="Path of HAProxy's master socket (`haproxy -W -S PATH`). When set, reloads go "
        "through it instead of `haproxy_reload_cmd`, and its answer tells whether the new "
        "configuration was taken.",
    )
