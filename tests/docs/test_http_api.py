"""docs/reference/http-api.md: as it is made; of each route who may use it, of each answer all its
keys."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.docs.pages import ROOT
from tools.reference.http_api import page

from drove_gateway.admin import views
from drove_gateway.admin.access import Right
from drove_gateway.admin.api import Actions, Route, routes
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import About
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.plan import Step
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.vocabulary import Leader
from drove_gateway.status.status import Status, with_record

PAGE = (ROOT / "docs" / "reference" / "http-api.md").read_text()
NAMES = {Right.NONE: "probe", Right.READ: "read", Right.ACT: "act"}


def status() -> Status:
    view = NamespaceView("stage", (EndpointView("http://c1", True, "OK"),), Leader("http://c1"))
    record = ApplyRecord(0.0, 0.1, ("event",), ("a new vhost",), (Step("add", "web", "listed"),))
    known = Status(About("1.0"), 0.0, {}, "lb1", namespaces=(view,))
    return with_record(known, record)


def table() -> tuple[Route, ...]:
    return routes(status, Metrics(), Actions(reload=lambda: True, accept=lambda: ()))


def section(title: str) -> str:
    found = re.search(
        rf"^## `{re.escape(title)}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
    assert found is not None, title
    return found[1]


def rows(text: str) -> Mapping[frozenset[str], str]:
    """The names in the first cell of each row, and the rest of the row."""
    cells = re.findall(r"^\| (`[^|]+`) \| (.*) \|$", text, re.MULTILINE)
    return {frozenset(re.findall(r"`(\w+)`", first)): rest for first, rest in cells}


def test_the_page_is_as_it_is_made() -> None:
    assert page() == PAGE


def test_each_route_stands_under_the_right_that_it_needs() -> None:
    for route in table():
        row = re.search(rf"^\| {NAMES[route.right]} \|(.*)$", PAGE, re.MULTILINE)
        assert row is not None
        assert f"`{route.path}`" in row[1]


@pytest.mark.parametrize(
    ("title", "view"),
    [
        ("GET /v1/health", views.health),
        ("GET /v1/status", views.full),
        ("GET /v1/config", views.config),
    ],
)
def test_every_key_of_an_answer_is_explained(title: str, view: Callable[[Status], Any]) -> None:
    explained = frozenset().union(*rows(section(title)))
    assert explained == json.loads(json.dumps(view(status()), default=str)).keys()


def test_every_key_of_a_namespace_and_of_an_entry_of_the_history_is_explained() -> None:
    answer = views.full(status())
    text = section("GET /v1/status")
    for one in (answer["namespaces"][0], answer["history"][0]):
        assert [key for key in one if f"`{key}`" not in text] == []
