"""How a controller's responses are decoded, and that nothing it sends does harm."""

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drove_gateway.drove import listing as listings
from drove_gateway.drove import wire
from drove_gateway.drove.events import events_page
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing
from drove_gateway.model.errors import BadResponse
from drove_gateway.model.vocabulary import AppEndpoints, Host

WEB = {
    "appName": "web",
    "appId": "web-1",
    "vhost": "Web.Local",
    "tags": {"k": "v"},
    "hosts": [{"host": "ex1.dc", "port": 33857, "portType": "HTTP"}],
}
API = {**WEB, "appName": "api", "appId": "api-1", "vhost": "api.local", "tags": {}}


def answer(data: Any, **more: Any) -> bytes:
    return json.dumps({"status": "SUCCESS", "data": data, "message": "success", **more}).encode()


def decode(data: Any) -> EndpointsListing:
    return EndpointsDecoder("stage").decode(answer(data))


def test_an_app_is_read_as_drove_sends_it() -> None:
    assert decode([WEB]).apps == (
        AppEndpoints("web", "web-1", "web.local", {"k": "v"}, (Host("ex1.dc", 33857, "http"),)),
    )


def test_the_order_of_apps_and_hosts_is_kept() -> None:
    hosts = [{"host": f"ex{n}.dc", "port": n, "portType": "TCP"} for n in (3, 1, 2)]
    listing = decode([WEB, {**API, "hosts": hosts}])
    assert [app.app_id for app in listing.apps] == ["web-1", "api-1"]
    assert [host.port for host in listing.apps[1].hosts] == [3, 1, 2]


@pytest.mark.parametrize("tags", [None, {}, {"k": None}])
def test_tags_that_are_null_are_not_tags(tags: Any) -> None:
    (app,) = decode([{**WEB, "tags": tags}]).apps
    assert app.tags == {}


def test_fields_that_may_be_left_out() -> None:
    wanted = {key: WEB[key] for key in ("appId", "vhost", "hosts")}
    (app,) = decode([wanted]).apps
    assert (app.app_name, app.tags) == ("", {})


def test_unknown_fields_are_ignored() -> None:
    host = {"host": "ex1.dc", "port": 1, "portType": "UDP", "zone": [1, {"deep": None}]}
    (app,) = decode([{**WEB, "hosts": [host], "new": {"in": "Drove 2"}}]).apps
    assert app.hosts == (Host("ex1.dc", 1, "udp"),)


def test_an_app_without_hosts_is_listed_without_hosts() -> None:
    (app,) = decode([{**WEB, "hosts": []}]).apps
    assert app.hosts == ()


def test_an_empty_list_is_a_response() -> None:
    assert decode([]).apps == ()


def test_of_a_doubled_key_the_last_counts() -> None:
    body = b'{"status":"FAILED","data":5,"data":[],"status":"SUCCESS"}'
    assert EndpointsDecoder("stage").decode(body).apps == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": "33857"},
        {"port": 1.5},
        {"port": True},
        {"port": None},
        {"host": None},
        {"host": 7},
        {"portType": None},
        {"portType": {}},
    ],
)
def test_an_app_with_wrong_types_in_a_host_is_left_out_and_the_rest_is_kept(wrong: Any) -> None:
    broken = {**WEB, "hosts": [{"host": "ex1.dc", "port": 1, "portType": "HTTP", **wrong}]}
    listing = decode([broken, API])
    assert [app.app_id for app in listing.apps] == ["api-1"]
    (rejection,) = listing.rejected
    assert (rejection.namespace, rejection.app_id, rejection.subject) == ("stage", "web-1", "app")
    assert "$.hosts[0]" in rejection.reason


@pytest.mark.parametrize("wrong", [{"port": "80"}, {"port": 1.5}, {"host": None}, {"portType": 5}])
def test_a_host_with_wrong_types_costs_only_itself(wrong: Any) -> None:
    good = {"host": "ex1.dc", "port": 1, "portType": "HTTP"}
    decoder = EndpointsDecoder("stage")
    body = answer([{**WEB, "hosts": [{**good, **wrong}, good]}, API])
    listing = decoder.decode(body)

    web = next(app for app in listing.apps if app.app_id == "web-1")
    assert [(host.host, host.port) for host in web.hosts] == [("ex1.dc", 1)]
    assert web.tags == decode([WEB]).apps[0].tags
    (rejection,) = listing.rejected
    assert (rejection.app_id, rejection.subject) == ("web-1", "host")
    assert decoder.decode(body + b" ").apps == listing.apps


@pytest.mark.parametrize(
    "broken",
    [
        {**WEB, "vhost": None},
        {**WEB, "hosts": None},
        {**WEB, "hosts": {}},
        {**WEB, "tags": {"k": 1}},
        {**WEB, "tags": []},
        {**WEB, "appId": 5},
        {"appId": "web-1"},
        None,
        "web",
        7,
        [],
    ],
)
def test_an_app_with_wrong_types_is_left_out_and_the_rest_is_kept(broken: Any) -> None:
    listing = decode([API, broken])
    assert [app.app_id for app in listing.apps] == ["api-1"]
    assert len(listing.rejected) == 1


def test_bytes_that_are_not_utf8_spoil_only_their_app() -> None:
    body = answer([API, {**WEB, "vhost": "VHOST"}]).replace(b"VHOST", b"\xff\xfe")
    listing = EndpointsDecoder("stage").decode(body)
    assert [app.app_id for app in listing.apps] == ["api-1"]
    assert listing.rejected[0].app_id == "web-1"


def test_what_a_rejection_shows_is_printable_and_short() -> None:
    hostile = {**WEB, "appId": "web\x1b[31m\n" + "x" * 500, "hosts": "\u202e" * 500}
    (rejection,) = decode([API, hostile]).rejected
    for shown in (rejection.app_id, rejection.value, rejection.reason):
        assert shown.isprintable()
        assert len(shown) < 130


def test_when_no_app_can_be_read_the_response_is_bad() -> None:
    with pytest.raises(BadResponse, match=r"no app in the response can be read.* at `\$\.hosts`"):
        decode([{**WEB, "hosts": 1}, {**API, "hosts": 2}])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"pong",
        b"<html>Bad Gateway</html>",
        b"\x00" * 1000,
        answer(None),
        answer({}),
        answer("x"),
        b'{"status":"SUCCESS"}',
        b'{"data":[]}',
        b'{"status":1,"data":[]}',
        answer([WEB])[:-20],
        answer([WEB]) + b"x",
        b"[" * 1_000_000,
        b'{"status":"SUCCESS","data":' + b'[{"hosts":' * 100_000,
        b'{"status":"SUCCESS","data":[' + b"1," * (listings.MOST_COMMAS + 1) + b"1]}",
    ],
    ids=range(17),
)
def test_a_body_that_is_not_a_drove_response_is_bad(body: bytes) -> None:
    with pytest.raises(BadResponse) as caught:
        EndpointsDecoder("stage").decode(body)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_failed_response_is_bad_and_shows_droves_message() -> None:
    body = b'{"status":"FAILED","message":"Unexpected Server error"}'
    with pytest.raises(BadResponse, match=r"'FAILED': Unexpected Server error"):
        EndpointsDecoder("stage").decode(body)


def test_the_same_bytes_give_the_same_listing() -> None:
    decoder = EndpointsDecoder("stage")
    first = decoder.decode(answer([WEB, API]))
    assert decoder.decode(answer([WEB, API])) is first


def test_only_an_app_that_changed_is_a_new_object() -> None:
    decoder = EndpointsDecoder("stage")
    web, api = decoder.decode(answer([WEB, API])).apps
    api_now, web_now = decoder.decode(answer([{**API, "hosts": []}, WEB])).apps
    assert web_now is web
    assert api_now is not api
    assert api_now.hosts == ()


def test_after_a_bad_response_the_last_good_one_is_still_known() -> None:
    decoder = EndpointsDecoder("stage")
    first = decoder.decode(answer([WEB]))
    with pytest.raises(BadResponse):
        decoder.decode(b"<html>")
    assert decoder.decode(answer([WEB])) is first


@pytest.mark.parametrize("time", [-1, 2**63, "0", None, 1.5])
def test_a_time_that_the_controller_would_not_take_back_is_a_bad_response(time: Any) -> None:
    with pytest.raises(BadResponse):
        events_page(answer({"events": [], "lastSyncTime": time}), requested=0)


def test_events_without_a_time_to_continue_with_are_a_bad_response() -> None:
    with pytest.raises(BadResponse):
        events_page(answer({"events": []}), requested=0)


def test_half_of_a_surrogate_pair_spoils_only_its_app() -> None:
    broken = {**WEB, "tags": {"k": "\ud800", "j": "\\ud800", "ok": "😀"}}
    listing = decode([broken, API, {**API, "appId": "api-2", "tags": {"k": "😀"}}])
    assert [app.app_id for app in listing.apps] == ["api-1", "api-2"]
    assert [each.app_id for each in listing.rejected] == ["web-1"]
    assert listing.apps[1].tags == {"k": "😀"}


def test_an_app_listed_twice_under_its_id_counts_twice() -> None:
    third = {**WEB, "appId": "web-1 (2)"}
    listing = decode([WEB, {**WEB, "vhost": "other.local"}, third, WEB])
    assert [(app.app_id, app.vhost) for app in listing.apps] == [
        ("web-1", "web.local"),
        ("web-1 (2)", "other.local"),
        ("web-1 (2) (2)", "web.local"),
        ("web-1 (3)", "web.local"),
    ]


def test_an_app_listed_twice_is_the_same_object_in_the_next_response() -> None:
    decoder = EndpointsDecoder("stage")
    first = decoder.decode(answer([WEB, WEB]))
    second = decoder.decode(answer([WEB, WEB, API]))
    assert all(old is new for old, new in zip(first.apps, second.apps, strict=False))
    assert decoder.decode(answer([WEB, WEB, API, API])).apps[:2] == first.apps


@pytest.mark.parametrize("count", [listings.MOST_REJECTED + 1, listings.MOST_APPS + 1])
def test_a_response_full_of_garbage_is_refused(count: int) -> None:
    body = answer([API]).replace(b"[{", b"[" + b"{}," * count + b"{", 1)
    with pytest.raises(BadResponse, match=r"cannot be read|more than any cluster|as no cluster"):
        EndpointsDecoder("stage").decode(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MANGLED_APP = st.fixed_dictionaries(
    {}, optional={key: st.just(value) | JSON for key, value in WEB.items()}
)


@settings(max_examples=150)
@given(st.lists(MANGLED_APP | JSON, max_size=5))
def test_any_list_of_apps_is_read_or_is_a_bad_response(data: Any) -> None:
    body = msgspec.json.encode({"status": "SUCCESS", "data": data})
    decoder = EndpointsDecoder("stage")
    try:
        listing = decoder.decode(body)
    except BadResponse:
        return
    assert len(listing.apps) + len(listing.rejected) <= len(data)
    for app in listing.apps:
        assert msgspec.convert(msgspec.to_builtins(app), AppEndpoints) == app


@settings(max_examples=300)
@given(st.data())
def test_any_damage_to_a_response_is_survived(data: st.DataObject) -> None:
    body = bytearray(answer([WEB, API]))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 20)))
        body[start:end] = data.draw(st.binary(max_size=8))
    for read in (
        EndpointsDecoder("stage").decode,
        lambda body: events_page(body, requested=0),
        wire.success,
    ):
        with contextlib.suppress(BadResponse):
            read(bytes(body))


@given(st.lists(st.lists(st.sampled_from([WEB, API, {"appId": "x"}]), max_size=3), max_size=5))
def test_what_was_decoded_before_does_not_matter(answers: list[list[Any]]) -> None:
    remembering = EndpointsDecoder("stage")
    for data in answers:
        results = []
        for decoder in (remembering, EndpointsDecoder("stage")):
            try:
                results.append(decoder.decode(answer(data)))
            except BadResponse:
                results.append(EndpointsListing(()))
        assert results[0] == results[1]
