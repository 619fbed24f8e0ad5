"""What of the settings the runtime updates depend on."""

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from drove_gateway.proxies.haproxy.api.runtime_commands import escaped_attributes
from drove_gateway.proxies.haproxy.names import Naming

if TYPE_CHECKING:
    from drove_gateway.config.settings import Settings


class Options(msgspec.Struct, frozen=True):
    """How servers are named, added and read."""

    naming: Naming = Naming()
    attributes: str = ""
    ssl_attributes: str = "ssl verify none"
    read_backends_one_by_one: bool = False

    @property
    def probes(self) -> bool:
        """Whether new servers have health checks, which then come before traffic."""
        return checks(self.attributes)

    def uses_tls(self, https: bool) -> bool:
        """Whether a server that is added uses TLS."""
        return _has(self.attributes_for(https), "ssl")

    def attributes_for(self, https: bool) -> str:
        """The options that a server is added with."""
        if not https:
            return self.attributes
        return f"{self.attributes} {self.ssl_attributes}".strip()


def checks(attributes: str) -> bool:
    """Whether a server with these options has health checks."""
    return _has(attributes, "check")


# Thousands of servers have the same options.
@lru_cache(maxsize=1 << 10)
def _has(attributes: str, option: str) -> bool:
    return option in attributes.split()


def options(settings: "Settings", *, wildcards: bool = False) -> Options:
    """The options as `settings` state them. `wildcards`: whether the template serves them."""
    return Options(
        naming=Naming(
            server_prefix=settings.haproxy_server_name_prefix,
            host_port_delimiter=settings.haproxy_server_name_host_port_delimiter,
            backend_separator=settings.haproxy_backend_name_separator,
            routing_tag_suffix=settings.haproxy_backend_include_routing_tag_suffix,
            wildcards=wildcards,
        ),
        attributes=escaped_attributes(settings.haproxy_add_server_attributes_string),
        ssl_attributes=escaped_attributes(settings.haproxy_add_server_ssl_attributes_string),
        read_backends_one_by_one=settings.haproxy_disable_large_backend_count_optimisation,
    )
