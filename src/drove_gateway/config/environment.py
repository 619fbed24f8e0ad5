"""Environment variables: a configuration without a file, or overrides of a file.

An empty variable counts as unset, because container set-ups pass unset variables as empty.
"""

from collections.abc import Mapping

import msgspec

from drove_gateway.config.draft import Draft, Location, quoted, tables

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
    """Return the draft with the values of the variables.

    Except for the template, they apply to a single namespace: the only namespace, the namespace
    that DROVE_CLUSTER_NAME names, or a new namespace if the draft has none.
    """
    return _with_cluster(_with_template(draft, environ.get(TEMPLATE, "")), environ)


def _with_template(draft: Draft, path: str) -> Draft:
    if not path:
        return draft
    haproxy = draft.values.get("proxy_platform") == "haproxy"
    key = "haproxy_template" if haproxy else "nginx_template"
    return msgspec.structs.replace(
        draft,
        values={**draft.values, key: path},
        labels={**draft.labels, (key,): f"environment: {TEMPLATE}"},
    )


def _with_cluster(draft: Draft, environ: Mapping[str, str]) -> Draft:
    given = {name: value for name in KEYS if (value := environ.get(name))}
    if not given:
        return draft
    namespaces = tables(draft.values)
    if not namespaces:
        if draft.values.get("namespaces"):
            return draft
        return _with_namespace(draft, 0, dict(DEFAULTS), given)
    index = _index(namespaces, given)
    if index is None:
        return msgspec.structs.replace(
            draft, problems=(*draft.problems, _no_match(namespaces, given))
        )
    return _with_namespace(draft, index, namespaces[index], given)


def _index(namespaces: list[dict[str, object]], given: Mapping[str, str]) -> int | None:
    if len(namespaces) == 1:
        return 0
    wanted = given.get(CLUSTER_NAME, DEFAULTS["name"])
    names = [table.get("name") for table in namespaces]
    return names.index(wanted) if wanted in names else None


def _no_match(namespaces: list[dict[str, object]], given: Mapping[str, str]) -> str:
    names = ", ".join(quoted(str(table.get("name", ""))) for table in namespaces)
    if CLUSTER_NAME in given:
        found = f"{CLUSTER_NAME} = {quoted(given[CLUSTER_NAME])}: no namespace has this name"
    else:
        found = f"{', '.join(given)}: could apply to any namespace"
    return f"environment: {found}; set {CLUSTER_NAME} to one of {names}"


def _with_namespace(
    draft: Draft, index: int, table: Mapping[str, object], given: Mapping[str, str]
) -> Draft:
    changed = {**table, **{KEYS[name]: _value(name, text) for name, text in given.items()}}
    labels: dict[Location, str] = dict(draft.labels)
    for name in given if "drove" in changed else [CONTROLLERS, *given]:
        labels["namespaces", index, KEYS[name]] = f"environment: {name}"
    namespaces: list[dict[str, object]] = tables(draft.values) or [{}]
    namespaces = [*namespaces[:index], changed, *namespaces[index + 1 :]]
    return msgspec.structs.replace(
        draft, values={**draft.values, "namespaces": namespaces}, labels=labels
    )


def _value(name: str, text: str) -> object:
    if name != CONTROLLERS:
        return text
    return [url.strip() for url in text.split(",") if url.strip()]
