"""The one spelling of what Drove, the settings and people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.spelling import (
    app_spelling,
    host_spelling,
    port_type_spelling,
    vhost_spelling,
    vhost_suffix_spelling,
)
from drove_gateway.model.vocabulary import AppEndpoints, Host


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Web.Example.COM", "web.example.com"),
        ("web.example.com.", "web.example.com"),
        ("*.Example.com", "*.example.com"),
        ("Web.Example.com:80", "Web.Example.com:80"),
        ("", ""),
    ],
)
def test_a_vhost_is_lower_case_without_a_final_dot_and_other_text_stays(
    text: str, spelling: str
) -> None:
    assert vhost_spelling(text) == spelling


def test_the_end_of_a_vhost_is_spelled_as_the_vhost_is() -> None:
    assert vhost_suffix_spelling(".STG.Example.com.") == ".stg.example.com"


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Executor-1.DC", "Executor-1.DC"),
        ("10.0.0.1", "10.0.0.1"),
        ("FD00:0:0::1", "fd00::1"),
        ("[FD00:0::1]", "[fd00::1]"),
        ("[FD00::x]", "[FD00::x]"),
        ("FE80::1%eth0", "FE80::1%eth0"),
    ],
)
def test_an_ipv6_address_is_written_in_its_shortest_form(text: str, spelling: str) -> None:
    assert host_spelling(text) == spelling


@pytest.mark.parametrize(
    ("text", "spelling"), [("HTTP", "http"), ("Https", "https"), ("tcp", "tcp"), ("SCTP", "SCTP")]
)
def test_a_port_type_is_lower_case_and_other_text_stays(text: str, spelling: str) -> None:
    assert port_type_spelling(text) == spelling


@given(
    st.builds(
        AppEndpoints,
        st.text(),
        st.text(),
        st.text("aB.*-"),
        st.just({}),
        st.lists(
            st.builds(Host, st.text("fFaA0:.[]%"), st.integers(), st.text("htpsHTPS")), max_size=3
        ).map(tuple),
    )
)
def test_what_is_spelled_stays_so(app: AppEndpoints) -> None:
    assert app_spelling(app_spelling(app)) == app_spelling(app)
