"""Environment variables: a configuration without a file, or overrides of a file.

An empty variable counts as unset, because container set-ups pass unset variables as empty.
"""

from collections.abc import Mapping

import msgspec

from drove_gateway.config.draft import Draft, Label, Location, Notice, Problem, tables
from drove_gateway.config.platforms import template_key
from drove_gateway.config.sentences import assignment

CONTROLLERS = "DROVE_CONTROLLERS"
CLUSTER_NAME = "DROVE_CLUSTER_NAME"

KEYS = {
    CONTROLLERS: "drove",
    "DROVE_USERNAME": "user",
    "DROVE_PASSWORD": "pass",
    CLUSTER_NAME: "name",
    "NGINX_DROVE_VHOST": "leader_vhost",
}
"""Each variable and the key of a namespace that it sets."""

CONFIG = "CONFIG_FILE_PATH"
TEMPLATE = "TEMPLATE_FILE_PATH"

VARIABLES = {**KEYS, TEMPLATE: "nginx_template` or `haproxy_template"}
"""Every variable and what it sets."""

DEFAULTS: Mapping[str, object] = {"name": "default", "user": "guest", "pass": "guest"}
"""Defaults of a namespace that is configured by variables alone."""

DESCRIPTIONS = {
    CONTROLLERS: "URLs of all controllers, separated by commas. Required without a file.",
    "DROVE_USERNAME": "User for basic auth. Without a file the default is `guest`.",
    "DROVE_PASSWORD": "Password of that user. Without a file the default is `guest`.",
    CLUSTER_NAME: "Name of the cluster. Without a file the default is `default`.",
    "NGINX_DROVE_VHOST": "Vhost under which the leading controller is served. Default: none.",
    TEMPLATE: "Path of the template of the configured proxy.",
}


def override(draft: Draft, environ: Mapping[str, str]) -> Draft:
    """Return the draft with the values of the variables, and a warning for each that differs.

    Except for the template, they apply to a single namespace: the only namespace of the file, or a
    new namespace if the draft has none. Beside several namespaces, and beside a file that
    CONFIG_FILE_PATH names (as in the original's container), they are ignored with a warning.
    """
    return _with_cluster(_with_template(draft, environ.get(TEMPLATE, "")), environ)


def _with_template(draft: Draft, path: str) -> Draft:
    if not path:
        return draft
    key = template_key(draft.values.get("proxy_platform"))
    notices = _differences(draft, (key,), draft.values.get(key, path), TEMPLATE, path)
    return msgspec.structs.replace(
        draft.with_values({**draft.values, key: path}, *notices),
        labels={**draft.labels, (key,): Label(f"environment: {TEMPLATE}")},
    )


def _with_cluster(draft: Draft, environ: Mapping[str, str]) -> Draft:
    given = {name: value for name in KEYS if _value(name, value := environ.get(name, ""))}
    if not given:
        return draft
    namespaces = tables(draft.values)
    if not namespaces:
        if draft.values.get("namespaces"):
            return draft
        return _with_namespace(draft, dict(DEFAULTS), given)
    if environ.get(CONFIG):
        return _ignored(draft, given, f"{CONFIG} names a file, which has the namespaces")
    if len(namespaces) > 1:
        return _ignored(draft, given, f"{draft.source} has {len(namespaces)} namespaces")
    return _with_namespace(draft, namespaces[0], given)


def _ignored(draft: Draft, given: Mapping[str, str], reason: str) -> Draft:
    names = ", ".join(given)
    verb = "has" if len(given) == 1 else "have"
    text = f"environment: {names}: {verb} no effect, because {reason}"
    return draft.noticed(Notice("warning", text))


def _with_namespace(draft: Draft, table: Mapping[str, object], given: Mapping[str, str]) -> Draft:
    values = {KEYS[name]: _value(name, text) for name, text in given.items()}
    notices: list[Notice] = []
    labels: dict[Location, Label] = dict(draft.labels)
    for name in given:
        where: Location = ("namespaces", 0, KEYS[name])
        if tables(draft.values):
            written = table.get(KEYS[name], "")
            notices += _differences(draft, where, written, name, values[KEYS[name]])
        labels[where] = Label(f"environment: {name}")
    if CONTROLLERS not in given and not tables(draft.values):
        missing = Label(f"environment: {CONTROLLERS}")
        draft = draft.with_problem(Problem(missing, "is missing; without a file it is required"))
    namespaces = [{**table, **values}]
    return msgspec.structs.replace(
        draft.with_values({**draft.values, "namespaces": namespaces}, *notices), labels=labels
    )


def _differences(
    draft: Draft, location: Location, written: object, name: str, value: object
) -> tuple[Notice, ...]:
    """Return a warning if a variable replaces another value of the file."""
    if not written or written == value:
        return ()
    label = assignment(draft, location, written)
    text = f"environment: {name}: is used instead of {label}"
    return (Notice("warning", text, label.line),)


def _value(name: str, text: str) -> object:
    if name != CONTROLLERS:
        return text
    return [url.strip() for url in text.split(",") if url.strip()]
