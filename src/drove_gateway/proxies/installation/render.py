"""A template and its data to the text of a configuration. Pure.

The id of a configuration generation is a hash of the rendered text, so that equal configurations
have equal ids on every gateway. Where a runtime API changes servers and backends, the first half
of the id is a hash of what it cannot change: a proxy that serves an id with the same first half
needs no reload, whichever gateway rendered its configuration, and when.
"""

import hashlib
import re
from collections.abc import Callable

import msgspec

from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.errors import RenderError
from drove_gateway.proxies.installation.template_data import UNKNOWN_GENERATION, RenderingData

_HALF = len(UNKNOWN_GENERATION) // 2

# A template says where the proxy returns its generation, in a comment of the proxy's language:
#   # drove-gateway: generation http://127.0.0.1:6081/generation
_PROOF = re.compile(
    r"^\s*#\s*drove-gateway:\s*generation\s+(http://\S+|unix:\S+)\s*$", re.MULTILINE
)


class Rendered(msgspec.Struct, frozen=True):
    """A rendered configuration: its text, its id, and the URL at which the proxy returns that id.

    `proof_url` is None where the template has no generation mark. `structured` says that the first
    half of the id leaves out what a runtime API changes. `interpreted_because` is why rendering was
    slow.
    """

    text: str
    generation: str
    proof_url: str | None
    structured: bool = False
    interpreted_because: str = ""

    @property
    def bare(self) -> str:
        """The text without the id of its generation, which differs when anything does."""
        return self.text.replace(self.generation, UNKNOWN_GENERATION)

    def is_except_for_runtime(self, generation: str) -> bool:
        """Return whether `generation` is this configuration, perhaps changed at runtime."""
        return generation == self.generation or (
            self.structured
            and len(generation) == len(self.generation)
            and generation[:_HALF] == self.generation[:_HALF]
        )


def render(
    template: Template, data: RenderingData, shared: Callable[[str], str] | None = None
) -> Rendered:
    """Execute `template`; `shared` reads from a text what a runtime API cannot change.

    Raises RenderError with the template's file and line.
    """
    try:
        text = template.render(data)
    except TemplateError as error:
        raise RenderError(str(error)) from error
    generation = _digest(text)
    if shared is not None:
        generation = _digest(shared(text))[:_HALF] + generation[:_HALF]
    return Rendered(
        text=text.replace(UNKNOWN_GENERATION, generation),
        generation=generation,
        proof_url=proof_url(text),
        structured=shared is not None,
        interpreted_because=template.interpreted_because,
    )


def proof_url(text: str) -> str | None:
    """Return the URL of the generation mark in a configuration; None without a mark."""
    proof = _PROOF.search(text)
    return proof.group(1) if proof else None


def interpreted(reason: str) -> str:
    """What health and `check` say of a rendering that was not compiled code."""
    return (
        "rendered by the interpreter, about 100 times slower than compiled code, because of the "
        f"template or its data: {reason}"
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
    return digest[: len(UNKNOWN_GENERATION)]
