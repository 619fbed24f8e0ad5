"""docs/reference/http-api.md: every route with its right, and every key of every response."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from tests.admin.conftest import Api
from tests.docs.pages import ROOT
from tools.reference.http_api import page

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.admin.actions import Actions
from drove_gateway.admin.routes import Route, routes
from drove_gateway.admin.sessions import Sessions
from drove_gateway.admin.tokens import ApiTokens, Right
from drove_gateway.model.about import About
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.plan import Step
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.vocabulary import Leader
from drove_gateway.status.config_document import config_document
from drove_gateway.status.document_builder import accepted_withdrawals, status_document
from drove_gateway.status.health_document import health_document
from drove_gateway.status.status import Status, with_record

PAGE = (ROOT / "docs" / "reference" / "http-api.md").read_text()
HELD = HeldWithdrawal("stage", "half would leave", 1, ("web.local",), 41.2)
NAMES_OF_THINGS = {"stage"}
NAMES = {Right.NONE: "probe", Right.READ: "read", Right.ACT: "act", Right.FORM: "form"}


def status() -> Status:
    view = NamespaceView("stage", (EndpointView("http://c1", True, "OK"),), Leader("http://c1"))
    record = ApplyRecord(0.0, 0.1, ("event",), ("a new vhost",), (Step("add", "web", "listed"),))
    known = Status(About("1.0"), 0.0, {}, "lb1", namespaces=(view,))
    return with_record(known, record)


async def accept_nothing(_: AcceptRequest) -> tuple[HeldWithdrawal, ...]:
    return ()


def table() -> tuple[Route, ...]:
    actions = Actions(reload=lambda: True, accept=accept_nothing)
    return routes(Api().sources(), actions, Sessions(ApiTokens()))


def section(title: str) -> str:
    found = re.search(
        rf"^## `{re.escape(title)}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL
    )
    assert found is not None, title
    return found[1]


def test_the_page_is_up_to_date() -> None:
    assert page() == PAGE, "run: python -m tools.reference.http_api --write"


def test_each_route_is_listed_under_the_right_that_it_requires() -> None:
    for route in table():
        row = re.search(rf"^\| {NAMES[route.right]} \|(.*)$", PAGE, re.MULTILINE)
        assert row is not None
        assert f"`{route.path}`" in row[1]


@pytest.mark.parametrize(
    ("title", "document"),
    [
        ("GET /v1/health", health_document(status())),
        ("GET /v1/status", status_document(status())),
        ("GET /v1/config", config_document(status(), lambda app: (app.vhost,))),
        ("POST /v1/accept", accepted_withdrawals([HELD])),
    ],
)
def test_every_key_of_a_response_is_explained(title: str, document: msgspec.Struct) -> None:
    explained = set(re.findall(r"`(\w+)`", section(title)))
    assert set(keys(msgspec.to_builtins(document))) - NAMES_OF_THINGS <= explained


def keys(value: Any) -> Iterator[str]:
    """The keys of all objects in a JSON document."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list | tuple):
            yield from keys(inner)
