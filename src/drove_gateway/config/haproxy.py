"""The keys of HAProxy, each declared once: name, type, default, help."""

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
        description="Path of the configuration file that the gateway writes. Its directory must be "
        "writable for the temporary file of the check.",
    )
    haproxy_template: str = Field(
        default="/etc/haproxy/haproxy.tmpl",
        description="Path of the template. The gateway reads it again when it changes; "
        "`drove-gateway template haproxy` prints a template to start from.",
    )
    haproxy_cmd: str = Field(
        default="haproxy",
        description="Command that checks (`-f FILE -c`). It is split on blanks and never passed to "
        "a shell.",
    )
    haproxy_reload_cmd: str = Field(
        default="systemctl reload haproxy",
        description="Command that reloads HAProxy. It is split on blanks and never passed to a "
        "shell.",
    )
    haproxy_ignore_check: bool = Field(
        default=False,
        description="Skips `haproxy -c`; health then always reports OK for it. Use it only if the "
        "command cannot see the file, because a broken file then reaches the reload.",
    )
    haproxy_reload_disabled: bool = Field(
        default=False,
        description="Never writes the file or reloads; only the runtime API is used. Requires "
        "`haproxysocketaddr` and a configuration that already has every vhost's backend.",
    )
    haproxysocketaddr: SocketAddressText = Field(
        default="",
        examples=["/run/haproxy/admin.sock"],
        description="Address of HAProxy's runtime API (`stats socket … level admin`): a Unix path, "
        "`unix@PATH`, `ipv4@HOST:PORT`, `ipv6@[ADDRESS]:PORT` or HOST:PORT. Endpoint changes then "
        "go through it without a reload. If it is not set, there is no runtime API and every "
        "change reloads.",
    )
    haproxy_disable_large_backend_count_optimisation: bool = Field(
        default=False,
        description="Reads the servers backend by backend instead of all at once with one `show "
        "servers state`. Much slower; use it only for an HAProxy whose combined reply cannot be "
        "read.",
    )
    haproxy_server_name_prefix: HaproxyNamePart = Field(
        default="server",
        description="First part of the server names, as in `server_10.0.0.1_31000`. Templates and "
        "the runtime API must agree on it: use the variable in templates, not a copy of the value.",
    )
    haproxy_server_name_host_port_delimiter: HaproxyNamePart = Field(
        default="_",
        description="Separates prefix, host and port in a server name, and replaces the colons of "
        "an IPv6 address.",
    )
    haproxy_backend_name_separator: HaproxyNamePart = Field(
        default="_",
        description="Separates the vhost and the group in a backend's name. With `:`, which no "
        "vhost contains, no two vhosts can ever need the same name.",
    )
    haproxy_backend_include_routing_tag_suffix: bool | None = Field(
        default=None,
        description="Whether a vhost with a `routing_tag` has a backend for each of its values, "
        "named VHOST, separator, value, instead of a single backend. If it is not set, the names "
        "are those that the template makes, or with `haproxy_reload_disabled` those that HAProxy "
        "has.",
    )
    haproxy_add_server_attributes_string: HaproxyServerOptions = Field(
        default="",
        examples=["check inter 2s"],
        description="Options for every server that is added through the runtime API, which does "
        "not use `default-server`. With `check`, a new server is probed before it gets traffic.",
    )
    haproxy_add_server_ssl_attributes_string: HaproxyServerOptions = Field(
        default="ssl verify none",
        examples=["ssl verify required ca-file @system-ca"],
        description="Additional options for servers whose port type is https. The default encrypts "
        "without verifying, as the original does; the original's documentation lists it as empty, "
        "which would send plain HTTP to these servers.",
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
        """`haproxysocketaddr` as an address, None without a runtime API."""
        if not self.haproxysocketaddr:
            return None
        return addresses.socket_address(self.haproxysocketaddr)


class HaproxyBeyond(Section):
    """Reloads over HAProxy's master socket."""

    haproxy_master_socket: UnixSocketPath = Field(
        default="",
        examples=["/run/haproxy/master.sock"],
        description="Path of HAProxy's master socket (`haproxy -W -S PATH`). If it is set, reloads "
        "go through it instead of `haproxy_reload_cmd`, and its reply tells whether HAProxy "
        "accepted the new configuration.",
    )
