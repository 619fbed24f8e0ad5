"""A template and its data to the text of a configuration. Pure.

The id of a configuration generation is a hash of the rendered text, so that equal configurations
have equal ids on every gateway. Where servers are changed over a runtime API, the first half of the
id is a hash of the configuration without its servers: a proxy that serves an id with the same first
half needs no reload, whichever gateway rendered its configuration, and when.
"""

import hashlib
import re

import msgspec

from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.errors import RenderError
from drove_gateway.model.vocabulary import App, Host, HostGroup
from drove_gateway.proxies.installation.template_data import UNKNOWN_GENERATION, RenderingData

_HALF = len(UNKNOWN_GENERATION) // 2

# A server for each host group, with an address for documentation: templates may use the first.
_ANY_SERVER = "192.0.2.1"

# A template says where the proxy returns its generation, in a comment of the proxy's language:
#   # drove-gateway: generation http://127.0.0.1:6081/generation
_PROOF = re.compile(
    r"^\s*#\s*drove-gateway:\s*generation\s+(http://\S+|unix:\S+)\s*$", re.MULTILINE
)


class Rendered(msgspec.Struct, frozen=True):
    """A rendered configuration: its text, its id, and the URL at which the proxy returns that id.

    `proof_url` is None where the template has no generation mark. `structured` says that the first
    half of the id leaves out the servers. `interpreted_because` is why rendering was slow.
    """

    text: str
    generation: str
    proof_url: str | None
    structured: bool = False
    interpreted_because: str = ""

    def is_but_for_servers(self, generation: str) -> bool:
        """Return whether `generation` is this configuration, perhaps with other servers."""
        return generation == self.generation or (
            self.structured
            and len(generation) == len(self.generation)
            and generation[:_HALF] == self.generation[:_HALF]
        )


def render(template: Template, data: RenderingData, *, servers_by_api: bool = False) -> Rendered:
    """Execute `template`; with `servers_by_api` a second time without the servers, for the id.

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
        text=text.replace(UNKNOWN_GENERATION, generation),
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
    return digest[: len(UNKNOWN_GENERATION)]


def _structure(template: Template, data: RenderingData) -> str | None:
    """Return the configuration with the same server everywhere; None if that is an error."""
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
