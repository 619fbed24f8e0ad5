"""Why a proxy with a runtime API is reloaded nevertheless."""

from collections.abc import Collection, Iterable, Iterator

import msgspec

from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.structure import structural_changes
from drove_gateway.topology.topology_diff import topology_diff

# A runtime API that is silent for longer does not come back by itself soon.
_SILENCE_SECONDS = 5.0


class ReloadReasons(msgspec.Struct, frozen=True):
    """What needs a new configuration: `structural` what differs in vhosts, backends and leaders,
    `forced` what only a reload brings."""

    structural: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.structural or self.forced)


def reload_reasons(
    adapter: Adapter,
    engine: Engine,
    installed: Topology | None,
    desired: Topology,
    *,
    served: Topology | None,
    unrendered: Collection[str],
    silent: float,
) -> ReloadReasons:
    """Return what of `desired` only a new configuration brings.

    `installed` is the topology of the last configuration, `served` that of the last servers
    without a failure. `unrendered` backends were missing right after the last reload: the
    template does not have them. The runtime API has been `silent` for so many seconds.
    """
    refused = tuple(
        f"{adapter.backend_noun} {backend}: {why}; the file is loaded instead"
        for backend, why in engine.refused.items()
    )
    if adapter.outdated:
        refused = (*refused, adapter.outdated)
    if installed is None:
        return ReloadReasons(forced=refused)
    structural = structural_changes(
        installed,
        desired,
        adapter.backends,
        one_protocol=adapter.abilities.one_protocol,
        text_decides=adapter.texts is not None and adapter.makes_backends,
    )
    missing = _missing(adapter, engine, installed, desired, unrendered)
    silence: Iterable[str] = ()
    if adapter.abilities.file_has_servers:
        silence = _silence(silent, served or desired, desired)
    return ReloadReasons((*structural, *missing), (*refused, *silence))


def _missing(
    adapter: Adapter,
    engine: Engine,
    installed: Topology,
    desired: Topology,
    unrendered: Collection[str],
) -> Iterator[str]:
    for backend, vhost in engine.missing.items():
        before, now = installed.apps.get(vhost), desired.apps.get(vhost)
        if before is None or now is None:
            continue
        if backend not in unrendered:
            yield f"{adapter.name} runs without {adapter.backend_noun} {backend}"
        elif set(before.hosts) != set(now.hosts):
            yield f"{adapter.name} has no {adapter.backend_noun} {backend} to change at runtime"


def _silence(silent: float, served: Topology, desired: Topology) -> Iterator[str]:
    if silent > _SILENCE_SECONDS and topology_diff(served, desired).changed:
        yield f"the runtime API has not answered for {silent:.0f} s; the file is loaded instead"
