"""The data that a template is executed with, from the topology and the settings. Pure.

The names that a template sees are those of the original's Go structs. Beyond them there is
`.Generation`, the id of the configuration, and `.Vars`, the values of the `[template]` table.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from drove_gateway.gotemplate import StringMap
from drove_gateway.model.vocabulary import App, Namespace, Topology
from drove_gateway.templates.variables import VARIABLES

if TYPE_CHECKING:
    from drove_gateway.config.settings import Settings

UNKNOWN_GENERATION = "0drove0gateway0x"
"""Stands for the id of the configuration, as long as that, until the text is known."""


class RenderingData(
    msgspec.Struct,
    frozen=True,
    rename={
        "xproxy": "Xproxy",
        "proxy_platform": "ProxyPlatform",
        "left_delimiter": "LeftDelimiter",
        "right_delimiter": "RightDelimiter",
        "nginx_max_fails_upstream": "NginxMaxFailsUpstream",
        "nginx_fail_timeout_upstream": "NginxFailTimeoutUpstream",
        "nginx_slow_start_upstream": "NginxSlowStartUpstream",
        "haproxy_socket_addr": "HaproxySocketAddr",
        "haproxy_add_server_attributes_string": "HaproxyAddServerAttributesString",
        "haproxy_add_server_ssl_attributes_string": "HaproxyAddServerSSLAttributesString",
        "haproxy_server_name_prefix": "HaproxyServerNamePrefix",
        "haproxy_server_name_host_port_separator": "HaproxyServerNameHostPortSeparator",
        "haproxy_backend_name_separator": "HaproxyBackendNameSeparator",
        "haproxy_backend_include_routing_tag_suffix": "HaproxyBackendIncludeRoutingTagSuffix",
        "namespaces": "Namespaces",
        "apps": "Apps",
        "generation": "Generation",
        "vars": "Vars",
    },
):
    """The variables of a template; `rename` has the names that templates use."""

    xproxy: str
    proxy_platform: str
    left_delimiter: str
    right_delimiter: str
    nginx_max_fails_upstream: int
    nginx_fail_timeout_upstream: str
    nginx_slow_start_upstream: str
    haproxy_socket_addr: str
    haproxy_add_server_attributes_string: str
    haproxy_add_server_ssl_attributes_string: str
    haproxy_server_name_prefix: str
    haproxy_server_name_host_port_separator: str
    haproxy_backend_name_separator: str
    haproxy_backend_include_routing_tag_suffix: bool
    namespaces: Mapping[str, Namespace]
    apps: Mapping[str, App]
    generation: str
    vars: Mapping[str, str] = {}


def context(
    topology: Topology, settings: "Settings", xproxy: str, environ: Mapping[str, str] | None = None
) -> RenderingData:
    """Return the data to execute a template with. `xproxy` is the setting or the host's name."""
    left, right = settings.delimiters
    suffix = settings.haproxy_backend_include_routing_tag_suffix
    return RenderingData(
        xproxy=xproxy,
        proxy_platform=settings.proxy_platform,
        left_delimiter=left,
        right_delimiter=right,
        nginx_max_fails_upstream=settings.nginx_max_fails,
        nginx_fail_timeout_upstream=settings.nginx_fail_timeout,
        nginx_slow_start_upstream=settings.nginx_slow_start,
        haproxy_socket_addr=settings.haproxysocketaddr,
        haproxy_add_server_attributes_string=settings.haproxy_add_server_attributes_string,
        haproxy_add_server_ssl_attributes_string=settings.haproxy_add_server_ssl_attributes_string,
        haproxy_server_name_prefix=settings.haproxy_server_name_prefix,
        haproxy_server_name_host_port_separator=settings.haproxy_server_name_host_port_delimiter,
        haproxy_backend_name_separator=settings.haproxy_backend_name_separator,
        haproxy_backend_include_routing_tag_suffix=suffix is not False,
        namespaces=topology.namespaces,
        apps=dict(topology.apps.items()),
        generation=UNKNOWN_GENERATION,
        vars=template_variables(settings.template, environ or {}),
    )


def template_variables(table: Mapping[str, str], environ: Mapping[str, str]) -> StringMap:
    """Return `.Vars`: the `[template]` table, where environment variables win.

    Variables of the environment that neither the table nor a shipped template names stay out, so
    that a template that prints all of `.Vars` prints no secret. An empty variable counts as unset.
    """
    names = {*table, *VARIABLES}
    given = {name: value for name in names if (value := environ.get(name) or table.get(name))}
    return StringMap(sorted(given.items()))
