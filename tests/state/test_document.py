"""The stored state as bytes: what goes in comes out, and nothing else ever does."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.errors import StateError
from drove_gateway.model.spelling import app_spelling
from drove_gateway.model.vocabulary import (
    AppEndpoints,
    Host,
    Leader,
    Rejection,
    Snapshot,
)
from drove_gateway.state.document import (
    VERSION,
    State,
    StoredNamespace,
    decode,
    encode,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
hosts = st.builds(Host, texts, st.integers(-(2**63), 2**63 - 1), texts)
listed_apps = st.builds(
    AppEndpoints,
    texts,
    texts,
    texts,
    st.dictionaries(texts, texts, max_size=3),
    st.lists(hosts, max_size=3).map(tuple),
)
apps = listed_apps.map(app_spelling)
snapshots = st.builds(
    Snapshot,
    texts,
    st.builds(Leader, texts, texts, st.integers(0, 65535)),
    st.lists(apps, max_size=3).map(tuple),
    st.lists(st.builds(Rejection, texts, texts, texts, texts, texts), max_size=2).map(tuple),
)
states = st.builds(
    State,
    texts,
    st.lists(
        st.builds(
            StoredNamespace,
            snapshots,
            st.lists(texts, max_size=2).map(tuple),
            st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=3,
    ).map(tuple),
)

WEB = AppEndpoints("web", "web-1", "web.local", {"env": "x"}, (Host("10.0.0.1", 8080, "http"),))
ONE = State(
    "nginx /etc/nginx/nginx.conf",
    (
        StoredNamespace(
            Snapshot("stage", Leader("http://c1:10000", "c1", 10000), (WEB,)),
            ("http://c1:10000",),
            1700000000.5,
        ),
    ),
)


def written(**changes: Any) -> bytes:
    """A good file, except for what is changed in its outer object."""
    return json.dumps({**json.loads(encode(ONE, gateway="1.0.0")), **changes}).encode()


@given(states)
def test_what_was_stored_is_read(state: State) -> None:
    assert decode(encode(state, gateway="1.0.0")) == state


def test_what_an_older_gateway_stored_is_read_in_the_spelling_of_today() -> None:
    listed = AppEndpoints("web", "web-1", "Web.Local.", {}, (Host("[FD00:0::1]", 80, "HTTP"),))
    [namespace] = ONE.namespaces
    snapshot = msgspec.structs.replace(namespace.snapshot, apps=(listed,))
    stored = State(ONE.proxy, (msgspec.structs.replace(namespace, snapshot=snapshot),))
    [read] = decode(encode(stored, gateway="1.0.0")).namespaces
    assert [(app.vhost, app.hosts) for app in read.snapshot.apps] == [
        ("web.local", (Host("[fd00::1]", 80, "http"),))
    ]


def test_the_file_is_json_that_names_format_version_and_gateway() -> None:
    document = json.loads(encode(ONE, gateway="1.2.3"))

    assert (document["format"], document["version"]) == ("drove-gateway state", 1)
    assert document["checksum"].startswith("sha256:")
    assert document["content"]["gateway"] == "1.2.3"


@given(st.binary(max_size=200))
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    with pytest.raises(StateError):
        decode(data)


@given(st.data())
def test_a_file_that_ends_too_early_is_refused(data: st.DataObject) -> None:
    whole = encode(ONE, gateway="1.0.0")
    end = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(StateError):
        decode(whole[:end])


@given(st.data())
def test_a_damaged_byte_is_refused_or_harmless(data: st.DataObject) -> None:
    whole = bytearray(encode(ONE, gateway="1.0.0"))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))

    try:
        assert decode(bytes(whole)) == ONE
    except StateError:
        return


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    )
)
def test_content_of_other_types_is_refused_even_with_the_right_checksum(content: object) -> None:
    raw = json.dumps(content).encode()
    document = {
        "format": "drove-gateway state",
        "version": VERSION,
        "checksum": f"sha256:{hashlib.sha256(raw).hexdigest()}",
        "content": msgspec.Raw(raw),
    }

    with pytest.raises(StateError, match="its content is not a state"):
        decode(msgspec.json.encode(document))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is not a stored state, or it was cut off"),
        (b"[" * 100_000, "it is not a stored state"),
        (b'{"apps": {}}', "it is not a stored state"),
        (written(format="data manager"), "another program wrote it"),
        (written(version=2), "a newer gateway wrote it: it is of version 2, not 1"),
        (written(version=0), "an older gateway wrote it"),
        (written(checksum="sha256:00"), "its checksum is wrong"),
        (written(content={}), "its checksum is wrong"),
    ],
)
def test_the_error_says_what_is_wrong_with_a_file(data: bytes, message: str) -> None:
    with pytest.raises(StateError, match=message):
        decode(data)
