"""What of the settings the runtime updates depend on."""

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from drove_gateway.model.vocabulary import Tags
from drove_gateway.proxies.haproxy.api.runtime_commands import escaped_attributes
from drove_gateway.proxies.haproxy.names import Naming

if TYPE_CHECKING:
    from drove_gateway.config.settings import Settings


class Options(msgspec.Struct, frozen=True):
    """How servers are named, added, drained and read. Times are in seconds.

    `drain_timeout_tag` names the tag whose value replaces `drain_timeout` for its vhost.
    """

    naming: Naming = Naming()
    attributes: str = ""
    ssl_attributes: str = "ssl verify none"
    drain_timeout: float = 30.0
    drain_timeout_tag: str = ""
    audit_interval: float = 30.0
    read_backends_one_by_one: bool = False
    reload_disabled: bool = False

    @property
    def probes(self) -> bool:
        """Whether new servers have health checks, which then come before traffic."""
        return _checks(self.attributes)

    def attributes_for(self, https: bool) -> str:
        """The options that a server is added with."""
        if not https:
            return self.attributes
        return f"{self.attributes} {self.ssl_attributes}".strip()

    def drain_seconds(self, tags: Tags) -> float:
        """How long a removed server of a vhost with `tags` may finish its requests."""
        if not self.drain_timeout_tag:
            return self.drain_timeout
        try:
            seconds = float(tags.get(self.drain_timeout_tag, ""))
        except ValueError:
            return self.drain_timeout
        return seconds if 0 <= seconds < float("inf") else self.drain_timeout


@lru_cache(maxsize=16)
def _checks(attributes: str) -> bool:
    return "check" in attributes.split()


def options(settings: "Settings") -> Options:
    """The options as `settings` state them."""
    return Options(
        naming=Naming(
            server_prefix=settings.haproxy_server_name_prefix,
            host_port_delimiter=settings.haproxy_server_name_host_port_delimiter,
            backend_separator=settings.haproxy_backend_name_separator,
            routing_tag_suffix=settings.haproxy_backend_include_routing_tag_suffix,
        ),
        attributes=escaped_attributes(settings.haproxy_add_server_attributes_string),
        ssl_attributes=escaped_attributes(settings.haproxy_add_server_ssl_attributes_string),
        drain_timeout=settings.drain_timeout_sec,
        drain_timeout_tag=settings.drain_timeout_tag,
        audit_interval=settings.audit_interval_sec,
        read_backends_one_by_one=settings.haproxy_disable_large_backend_count_optimisation,
        reload_disabled=settings.haproxy_reload_disabled,
    )
