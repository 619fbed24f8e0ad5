"""The dashboard can be imported as it is, and every panel says what it shows."""

import re
from itertools import combinations, pairwise
from typing import Any

import pytest
from tests.examples.queries import (
    DASHBOARD,
    OF_THE_TARGET,
    Query,
    annotations,
    asked,
    of_the_dashboard,
    panels,
    variables,
)

SHOWING = [panel for panel in panels() if panel["type"] != "row"]


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    place = panel["gridPos"]
    columns = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}


def test_it_can_be_imported_into_any_grafana() -> None:
    assert DASHBOARD["title"] == "drove-gateway"
    assert DASHBOARD.get("id") is None
    assert DASHBOARD["schemaVersion"] >= 36
    assert variables()["datasource"]["type"] == "datasource"


def test_one_can_choose_source_job_instance_and_namespace() -> None:
    assert list(variables()) == ["datasource", "job", "instance", "namespace"]
    for name in ("job", "instance", "namespace"):
        assert variables()[name]["multi"]
        assert variables()[name]["includeAll"]


def test_every_panel_has_a_unique_id_and_title() -> None:
    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert len({panel["title"] for panel in SHOWING}) == len(SHOWING)


def test_panels_neither_overlap_nor_leave_the_grid() -> None:
    for first, second in combinations(panels(), 2):
        assert not cells(first) & cells(second), (first["title"], second["title"])
    assert all(0 <= x < 24 for panel in panels() for x, _ in cells(panel))


def test_each_row_has_panels_that_follow_it() -> None:
    rows = [panel["title"] for panel in panels() if panel["type"] == "row"]
    assert rows == [
        "Now",
        "Leaders",
        "Applies",
        "Reloads",
        "Servers",
        "Runtime API",
        "Fetching from Drove",
        "Process",
        "Certificates",
    ]
    kinds = [panel["type"] for panel in panels()]
    assert ("row", "row") not in pairwise((*kinds, "row"))


@pytest.mark.parametrize("panel", SHOWING, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_and_in_which_unit(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"]["uid"] == "${datasource}"
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        assert target["legendFormat"]


@pytest.mark.parametrize("query", list(of_the_dashboard()), ids=lambda query: query.where)
def test_a_query_follows_the_chosen_instances(query: Query) -> None:
    wanted = asked(query.expr)
    for metric in {name for name, _ in wanted.metrics}:
        assert (metric, "instance") in wanted.metrics


@pytest.mark.parametrize("query", list(of_the_dashboard()), ids=lambda query: query.where)
def test_a_legend_names_what_the_query_leaves(query: Query) -> None:
    grouped = asked(query.expr).grouped
    assert not grouped or query.shown <= grouped
    assert query.shown or not grouped - {"le"} - OF_THE_TARGET


def test_reloads_and_holds_are_marked_on_the_time_axis() -> None:
    marked = {annotation["name"]: annotation for annotation in annotations()}

    assert list(marked) == ["Reloads", "Failed reloads", "Holds"]
    for annotation in annotations():
        assert annotation["enable"]
        assert annotation["datasource"]["uid"] == "${datasource}"
        assert annotation["titleFormat"]


def test_the_first_panel_says_who_is_up_and_leads_to_the_gateways_page() -> None:
    first = SHOWING[0]
    (link,) = first["fieldConfig"]["defaults"]["links"]

    assert first["title"] == "Up"
    assert asked(first["targets"][0]["expr"]).metrics >= {("up", "")}
    assert link["url"] == "http://${__field.labels.instance}/ui/"
    assert DASHBOARD["links"][0]["url"] == "http://${instance:raw}/ui/"


@pytest.mark.parametrize("panel", SHOWING, ids=lambda panel: panel["title"])
def test_durations_are_shown_as_p50_and_p99(panel: dict[str, Any]) -> None:
    shares = {
        share
        for target in panel["targets"]
        for share in re.findall(r"histogram_quantile\(([\d.]+)", target["expr"])
    }
    words = panel["title"] + "".join(target["legendFormat"] for target in panel["targets"])

    assert shares <= {"0.5", "0.99"}
    assert "0.5" not in shares or "p50" in words
    assert "0.99" not in shares or "p99" in words
