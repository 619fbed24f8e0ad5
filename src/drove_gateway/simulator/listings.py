"""Corrupt listings: how each fault changes the `data` of a good response.

Faults of apps and hosts keep every other response as it is.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Entry: TypeAlias = dict[str, Any]
Reshape: TypeAlias = Callable[[Any, float], Any]

UNREADABLE_HOST = "no host {here};"
BAD_TAG = "not a\nvalue {"


def _empty(data: Any, _: float) -> Any:
    return type(data)()


def _partial(data: Any, keep: float) -> Any:
    return data[: int(len(data) * keep)] if isinstance(data, list) else data


def _wrong_types(data: Any, _: float) -> Any:
    if not _is_apps(data):
        return {"unexpected": data} if isinstance(data, list) else [data]
    wrong: list[Callable[[Entry], Any]] = [
        lambda app: {**app, "vhost": 17},
        lambda app: {**app, "tags": ["no", "map"]},
        lambda app: {**app, "hosts": "none"},
        lambda app: {**app, "hosts": [{**host, "port": "http"} for host in app["hosts"]]},
        lambda app: {**app, "hosts": [None]},
        lambda app: {**app, "appId": None},
        lambda app: [app],
    ]
    return [wrong[number % len(wrong)](app) for number, app in enumerate(data)]


def _of_apps(reshape: Callable[[list[Entry], float], list[Entry]]) -> Reshape:
    """Return `reshape` for listings of apps; other data stays."""
    return lambda data, keep: reshape(data, keep) if _is_apps(data) else data


def _of_each_app(reshape: Callable[[Entry], Entry]) -> Reshape:
    return _of_apps(lambda apps, _: [reshape(app) for app in apps])


def _of_each_host(**wrong: object) -> Reshape:
    return _of_each_app(lambda app: {**app, "hosts": [{**host, **wrong} for host in app["hosts"]]})


def _shuffled(apps: list[Entry], _: float) -> list[Entry]:
    return _in_any_order([{**app, "hosts": _in_any_order(app["hosts"])} for app in apps])


def _bad_tags(app: Entry) -> Entry:
    return {**app, "tags": dict.fromkeys(app.get("tags") or ("tag",), BAD_TAG)}


def _shrunk(apps: list[Entry], keep: float) -> list[Entry]:
    """Drop the last hosts of all apps alike, down to the share `keep` of all hosts together."""
    places = sorted(
        (position, number)
        for number, app in enumerate(apps)
        for position in range(len(app["hosts"]))
    )
    kept = set(places[: int(len(places) * keep)])
    return [
        {**app, "hosts": [h for at, h in enumerate(app["hosts"]) if (at, number) in kept]}
        for number, app in enumerate(apps)
    ]


def _is_apps(data: Any) -> bool:
    return isinstance(data, list) and all(isinstance(app, dict) and "hosts" in app for app in data)


def _in_any_order(items: list[Any]) -> list[Any]:
    return random.sample(items, len(items))


RESHAPING: Mapping[str, Reshape] = {
    "empty": _empty,
    "partial": _partial,
    "wrong-types": _wrong_types,
    "no-hosts": _of_each_app(lambda app: {**app, "hosts": []}),
    "shuffled": _of_apps(_shuffled),
    "zero-ports": _of_each_host(port=0),
    "unreadable-hosts": _of_each_host(host=UNREADABLE_HOST),
    "bad-tags": _of_each_app(_bad_tags),
    "udp": _of_each_host(portType="UDP"),
    "doubled": _of_each_app(lambda app: {**app, "hosts": app["hosts"] * 2}),
    "shrinking": _of_apps(_shrunk),
}
"""What each kind of fault makes of `data`, given the share to keep."""
