"""What the gateway would do to a proxy, found out without changing anything.

A preview is for a gateway that starts now, or that gets SIGHUP: it relies on no earlier reads,
reads the proxy, and loads the new configuration unless the proxy serves exactly that. It
reads the file and queries the proxy's generation; it writes nothing and runs no command.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from drove_gateway.model.errors import ProxyError
from drove_gateway.model.plan import Plan, Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.before import copy_of, should_be_kept
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.proof import Ask
from drove_gateway.proxies.installation.render import Rendered


class Preview(msgspec.Struct, frozen=True):
    """The plan, and `notes`: what was found, what could not be read, and what stays as it is.

    `complete` is False where something could not be read: more may have to be done.
    """

    plan: Plan
    notes: tuple[str, ...] = ()
    complete: bool = True


class Observation(msgspec.Struct, frozen=True):
    """What reading a proxy showed: reasons to reload, steps at runtime, and notes.

    `first_line` names the first line of the file that only a reload brings, if that is known.
    """

    reload: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True
    first_line: str = ""


async def preview(
    desired: Topology,
    servers: Observation,
    structural: Sequence[str],
    platform: Platform | None,
    rendered: Rendered | None,
    ask: Ask,
) -> Preview:
    """Combine what the runtime API showed with what the file and the generation show.

    `structural` are the changes of the cluster that need a reload, where an earlier state is known;
    they explain more than what the proxy does not have because of them. `platform` is None where no
    file is installed.
    """
    if platform is None or rendered is None:
        return Preview(Plan(desired, servers=servers.steps), servers.notes, servers.complete)
    file = await look_at_generation(platform, rendered, ask, keeps=not servers.reload)
    file = msgspec.structs.replace(file, notes=(*file.notes, *await _file_notes(platform.config)))
    reload = (*file.reload, *servers.reload)
    if reload:
        reload = (*file.reload, *(structural or servers.reload))
        if servers.first_line and servers.first_line not in reload:
            reload = (*reload, servers.first_line)
    return Preview(
        Plan(desired, reload, servers.steps),
        (*servers.notes, *file.notes),
        servers.complete and file.complete,
    )


async def _file_notes(config: Path) -> list[str]:
    """Return what will happen, or has happened, to a file that the gateway did not write."""

    def look() -> Iterator[str]:
        copy = copy_of(config)
        if copy.exists():
            yield f"the file before drove-gateway is kept as {copy}"
        with suppress(ProxyError):
            if should_be_kept(config, config_file.read(config)):
                yield f"{config} was not written by drove-gateway; it will be kept as {copy}"
            if config_file.is_mounted_by_itself(config):
                yield config_file.mount_hint(config)

    return await asyncio.to_thread(lambda: list(look()))


async def look_at_generation(
    platform: Platform, rendered: Rendered, ask: Ask, *, keeps: bool = True
) -> Observation:
    """Compare `rendered` with the file on disk and with the generation that the proxy serves.

    With `keeps`, what the runtime API changes needs no reload.
    """
    config = platform.config
    try:
        change = _change(await asyncio.to_thread(config_file.read, config), rendered.text)
    except ProxyError as error:
        note = f"{error}, so whether it would change is unknown"
        return Observation(notes=(note,), complete=False)
    change = change and f"{config} {change}"
    if platform.reload is None:
        note = f"{change or f'{config} stays as it is'}; reloads are disabled, so it is not loaded"
        return Observation(notes=(note,))
    process = await _look_at_process(platform, rendered, ask)
    if change and keeps and rendered.structured and not process.reload:
        note = f"{change}; it is written without a reload"
        return msgspec.structs.replace(process, notes=(*process.notes, note))
    return msgspec.structs.replace(process, reload=(change,)) if change else process


async def _look_at_process(platform: Platform, rendered: Rendered, ask: Ask) -> Observation:
    """Ask the running proxy whether it serves `rendered`, or all of it but its servers."""
    name, generation = platform.name, rendered.generation
    if rendered.proof_url is None:
        unmarked = "the template has no generation mark, so the running configuration is unknown"
        return Observation(reload=(unmarked,))
    serving = await ask(rendered.proof_url)
    if serving is None:
        silent = f"{name} does not return its generation at {rendered.proof_url}"
        return Observation(reload=(silent,), notes=(f"{silent}: is it running?",))
    if serving == generation:
        return Observation(notes=(f"{name} already serves generation {generation}",))
    other = f"{name} serves generation {serving}, not {generation}"
    if rendered.is_except_for_runtime(serving):
        return Observation(notes=(f"{other}; they differ only in what the runtime API changes",))
    return Observation(reload=(other,))


def _change(before: str | None, after: str) -> str:
    """Describe how the file's text would change; empty if it would not."""
    if before is None:
        return "does not exist yet"
    if before == after:
        return ""
    old, new = Counter(before.splitlines()), Counter(after.splitlines())
    return f"changes: +{(new - old).total()} -{(old - new).total()} lines"
