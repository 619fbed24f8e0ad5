"""The part of the accepted snapshots that was applied, and so is worth keeping. Pure."""

from collections.abc import Collection, Mapping

import msgspec

from drove_gateway.model.vocabulary import AppEndpoints, Snapshot


def applied_snapshots(
    accepted: Mapping[str, Snapshot], kept: Mapping[str, Snapshot], failed: Collection[str]
) -> Mapping[str, Snapshot]:
    """`accepted`, with the vhosts that `failed` as they were `kept` before.

    What could not be applied, for example because the proxy refuses it, is not a last good form.
    """
    if not failed:
        return accepted
    return {
        name: msgspec.structs.replace(
            snapshot,
            apps=(
                *(app for app in snapshot.apps if app.vhost not in failed),
                *(app for app in _apps(kept.get(name)) if app.vhost in failed),
            ),
        )
        for name, snapshot in accepted.items()
    }


def _apps(snapshot: Snapshot | None) -> tuple[AppEndpoints, ...]:
    return snapshot.apps if snapshot is not None else ()
