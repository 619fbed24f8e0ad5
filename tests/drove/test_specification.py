"""The specification of an app, as far as it concerns traffic."""

import json

import pytest

from drove_gateway.drove.excerpt import as_it_is
from drove_gateway.drove.specification import AppSpecification, seconds, specification
from drove_gateway.model.errors import BadResponse


def response(data: object) -> bytes:
    return json.dumps({"status": "SUCCESS", "data": data}).encode()


def test_wait_and_mode_are_read() -> None:
    spec = {
        "name": "web",
        "preShutdown": {"hooks": [], "waitBeforeKill": "5 seconds"},
        "exposureSpec": {"vhost": "web.local", "portName": "main", "mode": "ONE"},
    }

    assert specification(response(spec), as_it_is) == AppSpecification(5.0, "ONE")


@pytest.mark.parametrize(
    "spec", [{}, {"preShutdown": None, "exposureSpec": None}, {"preShutdown": {"hooks": []}}]
)
def test_without_a_wait_instances_are_killed_at_once(spec: object) -> None:
    assert specification(response(spec), as_it_is) == AppSpecification(0.0, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5 seconds", 5.0),
        ("1 second", 1.0),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1 MINUTE", 60.0),
        ("3h", 10_800.0),
        ("soon", None),
        ("5", None),
        ("", None),
        ("-1s", None),
        pytest.param("9" * 400 + "s", None, id="400 digits"),
        pytest.param("9" * 5000 + "ms", None, id="5000 digits"),
    ],
)
def test_durations_are_dropwizards(text: str, value: float | None) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        response([]),
        response({"preShutdown": 5}),
        b'{"status": "FAILED", "message": "no such app"}',
    ],
)
def test_another_response_is_refused(body: bytes) -> None:
    with pytest.raises(BadResponse):
        specification(body, as_it_is)
