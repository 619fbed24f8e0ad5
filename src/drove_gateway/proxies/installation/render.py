"""Topology and settings to the text of a configuration.

The names that a template sees are those of the original's Go structs. Beyond them there is
`.Generation`: the id of the configuration generation, which is a hash of the rendered text, so
that equal configurations have equal ids on every gateway. Where servers are changed over a runtime
API, the id's first half is a hash of the configuration without its servers: a proxy that serves an
id with the same half needs no reload, whichever gateway made it, and when.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.errors import RenderError
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Namespace,
    Topology,
)

if TYPE_CHECKING:
    from drove_gateway.config.settings import Settings

# While rendering, the id is not known yet; this stands for it. Of the id's length.
_UNKNOWN_GENERATION = "0drove0gateway0x"
_HALF = len(_UNKNOWN_GENERATION) // 2

# A server for each host group, with an address for documentation: templates may use the first.
_ANY_SERVER = "192.0.2.1"

# A template says where the proxy returns its generation, in a comment of the proxy's language:
#   # drove-gateway: generation http://127.0.0.1:6081/generation
_PROOF = re.compile(
    r"^\s*#\s*drove-gateway:\s*generation\s+(http://\S+|unix:\S+)\s*$", re.MULTILINE
)


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
    },
):
    """What a template is executed with; `rename` has the names that it uses."""

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


class Rendered(msgspec.Struct, frozen=True):
    """A rendered configuration: its text, its id, and where a running proxy tells that id.

    `proof_url` is None where the template carries no generation mark. `structured` says that the
    id's first half is of all but the servers. `interpreted_because` is why rendering was slow.
    """

    text: str
    generation: str
    proof_url: str | None
    structured: bool = False
    interpreted_because: str = ""

    def is_but_for_servers(self, generation: str) -> bool:
        """Whether the configuration of that id is this one, perhaps with other servers."""
        return generation == self.generation or (
            self.structured
            and len(generation) == len(self.generation)
            and generation[:_HALF] == self.generation[:_HALF]
        )


def context(topology: Topology, settings: "Settings", xproxy: str) -> RenderingData:
    """The data that a template is executed with. `xproxy` is the setting or the host's name."""
    return RenderingData(
        xproxy=xproxy,
        proxy_platform=settings.proxy_platform,
        left_delimiter=settings.left_delimiter,
        right_delimiter=settings.right_delimiter,
        nginx_max_fails_upstream=settings.nginx_max_fails,
        nginx_fail_timeout_upstream=settings.nginx_fail_timeout,
        nginx_slow_start_upstream=settings.nginx_slow_start,
        haproxy_socket_addr=settings.haproxysocketaddr,
        haproxy_add_server_attributes_string=settings.haproxy_add_server_attributes_string,
        haproxy_add_server_ssl_attributes_string=settings.haproxy_add_server_ssl_attributes_string,
        haproxy_server_name_prefix=settings.haproxy_server_name_prefix,
        haproxy_server_name_host_port_separator=settings.haproxy_server_name_host_port_delimiter,
        haproxy_backend_name_separator=settings.haproxy_backend_name_separator,
        haproxy_backend_include_routing_tag_suffix=settings.haproxy_backend_include_routing_tag_suffix,
        namespaces=topology.namespaces,
        apps=dict(topology.apps.items()),
        generation=_UNKNOWN_GENERATION,
    )


def render(template: Template, data: RenderingData, *, servers_by_api: bool = False) -> Rendered:
    """Execute `template`; with `servers_by_api` once more for what a runtime API cannot change.

    Raises RenderError with the template's file and line.
    """
    try:
        text = template.render(data)
    except TemplateError as error:
        raise RenderError(str(error)) from error
    interpreted_because = template.interpreted_because
    structure = _structure(template, data) if servers_by_api else None
    generation = _digest(text)
    if structure is not None:
        generation = _digest(structure)[:_HALF] + generation[:_HALF]
    proof = _PROOF.search(text)
    return Rendered(
        text=text.replace(_UNKNOWN_GENERATION, generation),
        generation=generation,
        proof_url=proof.group(1) if proof else None,
        structured=structure is not None,
        interpreted_because=interpreted_because or template.interpreted_because,
    )


def interpreted(reason: str) -> str:
    """What health and `check` say of a rendering that was not compiled code."""
    return (
        "rendered by the interpreter, about 100 times slower than compiled code, because of the "
        f"template or its data: {reason}"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    return digest[: len(_UNKNOWN_GENERATION)]


def _structure(template: Template, data: RenderingData) -> str | None:
    """The configuration with one and the same server everywhere; None if that is an error."""
    apps = {vhost: _without_servers(app) for vhost, app in data.apps.items()}
    try:
        return template.render(msgspec.structs.replace(data, apps=apps))
    except TemplateError:
        return None


def _without_servers(app: App) -> App:
    return msgspec.structs.replace(
        app,
        hosts=_any_server(app.hosts),
        groups={
            name: HostGroup(_any_server(group.hosts), group.tags)
            for name, group in app.groups.items()
        },
    )


def _any_server(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    return tuple(Host(_ANY_SERVER, 1, first.port_type) for first in hosts[:1])
