"""What Drove sends and what of it may reach a proxy's configuration."""

import string
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.spelling import app_spelling, is_wildcard, valid_host, valid_vhost
from drove_gateway.model.vocabulary import AppEndpoints, Host
from drove_gateway.topology.validation import (
    LONGEST_SHOWN,
    LONGEST_TAG,
    TAG_REFUSES,
    shown,
    valid_app,
    valid_tag,
)

NAME_CHARACTERS = set(string.ascii_letters + string.digits + "_.-")

hostile_text = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="aZ0_-.:*~/\\\"'`;{}$#%[]()|@ \t\r\n\0\x7f\u2028\u212a\u0130", max_size=12),
    st.from_regex(r"[a-z0-9.-]{1,20}[\n;{ ]?", fullmatch=True),
)


def app(
    vhost: str = "web.local", hosts: tuple[Host, ...] = (), tags: dict[str, str] | None = None
) -> AppEndpoints:
    return AppEndpoints("web", "web-1", vhost, tags or {}, hosts)


@pytest.mark.parametrize(
    ("text", "vhost"),
    [
        ("web.local", "web.local"),
        ("Web.Example.COM", "web.example.com"),
        ("localhost", "localhost"),
        ("under_score.dmz-2.local", "under_score.dmz-2.local"),
        ("_acme.example.com", "_acme.example.com"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("web.local.", "web.local"),
        (f"{'a' * 63}.local", f"{'a' * 63}.local"),
        ("1.2.3.4", "1.2.3.4"),
        ("*.Web.local", "*.web.local"),
        (".Web.local.", ".web.local"),
    ],
)
def test_a_dns_name_is_a_vhost_in_lower_case_without_its_final_dot(text: str, vhost: str) -> None:
    assert valid_vhost(text) == vhost


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..web.local",
        "web..local",
        "web.local..",
        "*web.local",
        "*..local",
        "web.*.local",
        "*.*.local",
        "*.",
        "*",
        "~^web",
        "web.local:8080",
        "http://web.local",
        "web local",
        " web.local",
        "web.local\n",
        "web.local;",
        "web.local; return 200",
        "a{b",
        "$host",
        "-f",
        "-web.local",
        "web-.local",
        "bücher.example",
        "\u212aelvin.example",
        f"{'a' * 64}.local",
        ".".join(["a" * 60] * 5),
        "unix:/tmp/s",
        "[::1]",
    ],
)
def test_anything_else_is_not_a_vhost(text: str) -> None:
    assert valid_vhost(text) == ""


def test_an_invalid_vhost_costs_the_app_and_is_reported() -> None:
    checked = valid_app("stage", app("evil;}", hosts=(Host("10.0.0.1", 80, "http"),)))

    assert checked.vhost == ""
    (rejection,) = checked.rejected
    assert (rejection.namespace, rejection.app_id) == ("stage", "web-1")
    assert (rejection.subject, rejection.value) == ("vhost", "evil;}")
    assert "left out" in rejection.reason


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("10.2.3.4", "10.2.3.4"),
        ("127.0.0.1", "127.0.0.1"),
        ("240.0.0.1", "240.0.0.1"),
        ("executor-1.DC1.example.com", "executor-1.DC1.example.com"),
        ("ex_1", "ex_1"),
        ("ex1.dc.", "ex1.dc."),
        ("::1", "::1"),
        ("[FD00:0::1]", "[fd00::1]"),
        ("FD00:0:0::0001", "fd00::1"),
    ],
)
def test_host_names_and_addresses_are_hosts(text: str, host: str) -> None:
    assert valid_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "10.0.0",
        "10.0.0.256",
        "010.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "a.b.0x1",
        "fe80::1%eth0",
        "::1%",
        "[::1",
        "[10.0.0.1]",
        "10.0.0.1:80",
        "10.0.0.1 weight 9",
        "10.0.0.1\n",
        "unix:/tmp/s",
        "unix@/tmp/s",
        "/tmp/s",
        "-x",
        "a;b",
        "${HOME}",
        "a..",
    ],
)
def test_anything_else_is_not_a_host(text: str) -> None:
    assert valid_host(text) == ""


def test_an_invalid_host_costs_that_host_only() -> None:
    good = Host("10.0.0.1", 8080, "http")

    checked = valid_app(
        "stage",
        app(
            hosts=(
                Host("10.0.0.1; drop", 80, "http"),
                good,
                Host("10.0.0.2", 0, "http"),
                Host("10.0.0.2", 65536, "http"),
                Host("10.0.0.2", 80, "gopher"),
            )
        ),
    )

    assert checked.vhost == "web.local"
    assert checked.hosts == (good,)
    assert [(rejection.subject, rejection.value) for rejection in checked.rejected] == [
        ("host", "10.0.0.1; drop"),
        ("port", "10.0.0.2:0"),
        ("port", "10.0.0.2:65536"),
        ("port", "gopher"),
    ]


def test_a_host_is_listed_once_however_it_is_written() -> None:
    listed = app(
        hosts=(
            Host("fd00::1", 80, "http"),
            Host("FD00:0::1", 80, "HTTP"),
            Host("fd00::1", 80, "tcp"),
            Host("fd00::1", 81, "http"),
        )
    )
    checked = valid_app("stage", app_spelling(listed))

    assert checked.hosts == (Host("fd00::1", 80, "http"), Host("fd00::1", 81, "http"))
    assert checked.rejected == ()


def test_what_needs_no_change_comes_back_as_the_same_objects() -> None:
    source = app(hosts=(Host("10.0.0.1", 80, "http"), Host("ex1.dc", 1, "tcp")), tags={"a": "b"})

    checked = valid_app("stage", source)

    assert checked.hosts is source.hosts
    assert checked.tags is source.tags


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/api/v1/(foo|bar)?x=1&y=2",
        "X-Team-Name",
        "10.0.0.0/8, 192.168.0.0/16",
        "Zoë's".replace("'", ""),
        "100%",
        "-1",
        "-",
        "a" * LONGEST_TAG,
        "team <payments@example.com>",
        "^/static/.*",
    ],
)
def test_ordinary_tag_values_pass(value: str) -> None:
    assert valid_tag(value)


@pytest.mark.parametrize(
    "value",
    [
        "a\nb",
        "a\r",
        "\0",
        "a\tb",
        "\x7f",
        "a\u2028b",
        "a\u00a0b",
        "\u202eb",
        "\ud800",
        *(f"a{character}b" for character in TAG_REFUSES),
        "%[env(SECRET)]",
        "-f /etc/passwd",
        "a" * (LONGEST_TAG + 1),
    ],
)
def test_values_that_could_leave_their_place_in_a_configuration_do_not(value: str) -> None:
    assert not valid_tag(value)


def test_an_invalid_tag_costs_that_tag_only() -> None:
    checked = valid_app(
        "stage",
        app(tags={"team": "payments", "note": "a\nb", "x;y": "z", "": "empty"}),
    )

    assert checked.vhost == "web.local"
    assert checked.tags == {"team": "payments"}
    assert [(rejection.subject, rejection.value) for rejection in checked.rejected] == [
        ("tag", "note=a\\nb"),
        ("tag", "x;y=z"),
        ("tag", "=empty"),
    ]


@pytest.mark.parametrize("value", ["canary build", "a/b", "a\nb", "ü", "-f", "a" * 129])
def test_a_routing_tag_that_cannot_name_a_backend_costs_the_group_only(value: str) -> None:
    checked = valid_app("stage", app(tags={"env": value}), routing_tag="env")

    assert checked.vhost == "web.local"
    assert checked.group is None
    assert checked.rejected[0].subject == "tag"
    assert "routing tag" in checked.rejected[0].reason


@pytest.mark.parametrize("tags", [{"env": "Canary-2.1:x_y"}, {"env": ""}, {}])
def test_a_routing_tag_that_names_a_backend_or_is_missing_passes(tags: dict[str, str]) -> None:
    checked = valid_app("stage", app(tags=tags), routing_tag="env")

    assert checked.vhost == "web.local"
    assert checked.rejected == ()


@given(hostile_text)
def test_whatever_passes_as_a_vhost_is_made_of_name_characters(text: str) -> None:
    vhost = valid_vhost(text)

    name = vhost.removeprefix("*").removeprefix(".") if is_wildcard(vhost) else vhost
    assert set(name) <= NAME_CHARACTERS
    assert vhost == vhost.lower() == valid_vhost(vhost)
    assert len(vhost) <= 253
    assert all(0 < len(label) < 64 for label in name.split(".")) or not vhost
    assert not name.startswith(("-", "."))


@given(hostile_text)
def test_whatever_passes_as_a_host_is_made_of_name_or_address_characters(text: str) -> None:
    host = valid_host(text)

    assert set(host) <= NAME_CHARACTERS | {":"}
    assert host == valid_host(host)
    assert ":" not in host or str(IPv6Address(host)) == host
    assert not host.startswith("-")


@given(hostile_text)
def test_whatever_passes_as_a_tag_stays_in_its_line_and_in_its_quotes(text: str) -> None:
    if valid_tag(text):
        assert text.splitlines() in ([text], [])
        assert not set(text) & set(TAG_REFUSES)
        assert text.isprintable()
        assert "%[" not in text


@given(
    hostile_text,
    st.lists(st.tuples(hostile_text, st.integers(-1, 70000), hostile_text), max_size=5),
    st.dictionaries(hostile_text, hostile_text, max_size=5),
)
def test_any_app_is_checked_without_an_error_and_once_is_enough(
    vhost: str, hosts: list[tuple[str, int, str]], tags: dict[str, str]
) -> None:
    source = app(vhost, tuple(Host(*address) for address in hosts), tags)

    checked = valid_app("stage", source)
    again = valid_app("stage", app(checked.vhost, checked.hosts, dict(checked.tags)))

    assert (again.hosts, again.tags) == (checked.hosts, checked.tags)
    assert again.vhost == checked.vhost
    assert all(rejection.value.isprintable() and rejection.reason for rejection in checked.rejected)


@given(hostile_text | st.text(min_size=70))
def test_what_is_shown_is_one_short_printable_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= LONGEST_SHOWN
