"""The proxy's own check of a rendered configuration, and an app to try a template with."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.daemon.drivers import platform, template_path
from drove_gateway.model.errors import ProxyError
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.check import check
from drove_gateway.proxies.installation.config_file import discard, write_candidate
from drove_gateway.proxies.installation.refused_line import TemplateSource
from drove_gateway.proxies.installation.render import Rendered


async def proxy_check(settings: Settings, made: Rendered) -> str:
    """Have the proxy check what was rendered; return the command.

    Raises CheckRefused with the proxy's words, and the template's line where it can be told.
    """
    proxy, template = platform(settings), template_path(settings)
    source = TemplateSource(
        template.name, template.read_text(errors="replace"), settings.delimiters
    )
    with _written(proxy.config, made.text) as file:
        limit = settings.command_timeout_sec
        command = await check(proxy, file, made.text, source, timeout=limit)
    shown = " ".join(command).replace(str(file), str(proxy.config))
    return shown or "disabled in the configuration"


def made_up(settings: Settings) -> Topology:
    """A vhost of the documentation's names and addresses, in one group."""
    hosts = (Host("192.0.2.10", 31000, "http"), Host("2001:db8::10", 31001, "http"))
    vhost = "app.example.com"
    tag = settings.namespaces[0].routing_tag if settings.namespaces else ""
    return Topology(
        apps={vhost: App(vhost, vhost, hosts, {}, {vhost: HostGroup(hosts, {})}, tag)},
        namespaces={
            one.name: Namespace(
                one.leader_vhost,
                Leader("http://192.0.2.1:10000", "192.0.2.1", 10000),
                one.routing_tag,
            )
            for one in settings.namespaces
        },
    )


@contextmanager
def _written(config: Path, text: str) -> Iterator[Path]:
    """`text` in a file beside `config`, so that relative includes are found; where this user
    cannot write there, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="drove-gateway-check-") as directory:
        try:
            file = write_candidate(config, text)
        except ProxyError:
            file = write_candidate(Path(directory) / config.name, text)
        try:
            yield file
        finally:
            discard(file)
