"""The queries of the shipped dashboard and alert rules."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import promql_parser

EXAMPLES = Path(__file__).parents[2] / "examples"
DASHBOARD: dict[str, Any] = json.loads((EXAMPLES / "grafana.json").read_text())

# Prometheus adds these to each series when it scrapes.
OF_THE_TARGET = frozenset({"instance", "job"})


class Rule(msgspec.Struct, forbid_unknown_fields=True, rename={"held_for": "for"}):
    """An alert. Unknown labels and annotations are errors."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    held_for: str = ""


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    rules: list[Rule]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    groups: list[_Group]


class Query(NamedTuple):
    """A query, its place, and the labels that its legend or annotations name."""

    where: str
    expr: str
    shown: frozenset[str]


class Asked(NamedTuple):
    """The metrics of a query, as pairs of name and label ("" for none), and its group labels."""

    metrics: frozenset[tuple[str, str]]
    grouped: frozenset[str]


def rules() -> list[Rule]:
    """Return all alert rules."""
    text = (EXAMPLES / "alerts.yml").read_bytes()
    return [rule for group in msgspec.yaml.decode(text, type=_File).groups for rule in group.rules]


def panels() -> list[dict[str, Any]]:
    """Return all panels of the dashboard in order, including rows."""
    found: list[dict[str, Any]] = DASHBOARD["panels"]
    return found


def variables() -> dict[str, dict[str, Any]]:
    """Return the dashboard's variables by name."""
    return {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}


def of_the_dashboard() -> Iterator[Query]:
    for panel in panels():
        for target in panel.get("targets", ()):
            where = f"{panel['title']} {target['refId']}"
            shown = frozenset(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            yield Query(where, target["expr"], shown)

    for annotation in annotations():
        shown = frozenset(re.findall(r"{{(\w+)}}", annotation["textFormat"]))
        yield Query(annotation["name"], annotation["expr"], shown)


def annotations() -> list[dict[str, Any]]:
    """Return what the dashboard marks on its time axis."""
    found: list[dict[str, Any]] = DASHBOARD["annotations"]["list"]
    return found


def of_the_variables() -> Iterator[tuple[str, str]]:
    """Return each variable's series selector, and the label of its values."""
    for variable in variables().values():
        if variable["type"] == "query":
            found = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
            assert found, variable["name"]
            yield found[1], found[2]


def of_the_alerts() -> Iterator[Query]:
    for rule in rules():
        text = " ".join(rule.annotations.values())
        yield Query(rule.alert, rule.expr, frozenset(re.findall(r"\$labels\.(\w+)", text)))


def asked(expr: str) -> Asked:
    """Return the metrics and labels of a query. Raises ValueError if it is not PromQL."""
    metrics: set[tuple[str, str]] = set()
    grouped: set[str] = set()

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            name = node.name or ""
            metrics.add((name, ""))
            metrics.update((name, matcher.name) for matcher in node.matchers.matchers)
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            grouped.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(as_prometheus_sees(expr)), visit)
    return Asked(frozenset(metrics), frozenset(grouped))


def as_prometheus_sees(expr: str) -> str:
    """Replace Grafana's variables by values."""
    known = re.sub(r"\$__rate_interval\b", "5m", expr)
    return re.sub(
        r'"\$(\w+)"', lambda found: '".*"' if found[1] in variables() else found[0], known
    )
