"""What the gateway would do to a proxy, found out without changing anything.

A preview is for a gateway that begins now, by its start or by SIGHUP: it believes nothing, reads
the proxy, and loads the new configuration unless exactly that serves. Here a file is read and the
proxy's generation asked for; nothing is written, and no command is run.
"""

import asyncio
from collections import Counter

import msgspec

from drove_gateway.model.errors import ProxyError
from drove_gateway.model.plan import Plan, Step
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.proof import Ask
from drove_gateway.proxies.installation.render import Rendered


class Preview(msgspec.Struct, frozen=True):
    """The plan, and `notes`: what was found, what could not be asked, and what stays as it is.

    `complete` is False where something could not be read: more may have to be done.
    """

    plan: Plan
    notes: tuple[str, ...] = ()
    complete: bool = True


class Seen(msgspec.Struct, frozen=True):
    """What one look at a proxy gave: reasons to reload, steps at runtime, and notes."""

    reload: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True


async def look_at_generation(platform: Platform, rendered: Rendered, ask: Ask) -> Seen:
    """Whether the proxy serves `rendered` already, by the file on disk and by its own word."""
    config = platform.config
    try:
        change = _change(await asyncio.to_thread(config_file.read, config), rendered.text)
    except ProxyError as error:
        return Seen(notes=(f"{error}; whether it changes cannot be told",), complete=False)
    change = change and f"{config} {change}"
    if platform.reload is None:
        said = f"{change or f'{config} stays as it is'}; reloads are disabled, nobody loads it"
        return Seen(notes=(said,))
    found = await _look_at_process(platform, rendered, ask)
    if change and rendered.structured and not found.reload:
        return msgspec.structs.replace(
            found, notes=(*found.notes, f"{change}; it is written without a reload")
        )
    return msgspec.structs.replace(found, reload=(change,)) if change else found


async def _look_at_process(platform: Platform, rendered: Rendered, ask: Ask) -> Seen:
    """Whether the running proxy serves `rendered`, by its own word, or all but its servers."""
    name, generation = platform.name, rendered.generation
    if rendered.proof_url is None:
        unmarked = "the template has no generation mark, so what runs cannot be asked"
        return Seen(reload=(unmarked,))
    serving = await ask(rendered.proof_url)
    if serving is None:
        silent = f"{name} does not tell its generation at {rendered.proof_url}"
        return Seen(reload=(silent,), notes=(f"{silent}: does it run?",))
    if serving == generation:
        return Seen(notes=(f"{name} serves generation {generation} already",))
    said = f"{name} serves generation {serving}, not {generation}"
    if rendered.is_but_for_servers(serving):
        return Seen(notes=(f"{said}; they differ in servers only, which need no reload",))
    return Seen(reload=(said,))


def _change(before: str | None, after: str) -> str:
    """How the file's text would change, empty if it would not."""
    if before is None:
        return "is not there yet"
    if before == after:
        return ""
    had, has = Counter(before.splitlines()), Counter(after.splitlines())
    return f"changes: +{(has - had).total()} -{(had - has).total()} lines"
