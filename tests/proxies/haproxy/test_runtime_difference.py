"""Which changes of a configuration need no reload of HAProxy 3.4."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.proxies.haproxy.runtime_difference import (
    RuntimeBackend,
    RuntimeDifference,
    ServerLine,
    read_configuration,
    runtime_difference,
)

SHARED = """\
global
    description drove-gateway
defaults drove
    mode http
    default-server init-addr last,libc,none
defaults vhosts from drove
    balance roundrobin
    http-request set-header X-Proxy edge
frontend clients from drove
    bind :80
    use_backend %[req.hdr(host),lower]
backend drove:none from drove
    http-request return status 404
"""
WEB = """\
backend web.local from vhosts
    server s_a_80 10.0.0.1:80 check weight 2
    server s_b_80 10.0.0.2:80 ssl verify none
"""


def difference(before: str, after: str) -> RuntimeDifference:
    return runtime_difference(read_configuration(before), read_configuration(after))


def test_a_new_backend_with_plain_servers_is_made_at_runtime() -> None:
    assert difference(SHARED, SHARED + WEB) == RuntimeDifference(
        added=(
            RuntimeBackend(
                "web.local",
                "vhosts",
                (
                    ServerLine("s_a_80", "10.0.0.1:80", "check weight 2"),
                    ServerLine("s_b_80", "10.0.0.2:80", "ssl verify none"),
                ),
            ),
        )
    )


def test_a_backend_that_went_is_removed_at_runtime() -> None:
    assert difference(SHARED + WEB, SHARED) == RuntimeDifference(removed=("web.local",))


@pytest.mark.parametrize(
    "other",
    [
        "# Written by another gateway\n" + SHARED + WEB,
        SHARED + "\n\n" + WEB,
        SHARED + WEB.replace("    server", "\tserver"),
        WEB + SHARED,
    ],
    ids=["comment", "blank lines", "indentation", "order of backends"],
)
def test_what_means_the_same_is_no_difference(other: str) -> None:
    assert difference(SHARED + WEB, other) == RuntimeDifference()


def test_servers_of_a_backend_that_stays_are_left_to_the_engine() -> None:
    assert difference(SHARED + WEB, SHARED + WEB.replace("10.0.0.2", "10.0.0.9")) == (
        RuntimeDifference()
    )


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (
            SHARED.replace("bind :80", "bind :81") + WEB,
            "`bind :81` in `frontend clients from drove`",
        ),
        (SHARED + "backend web.local\n    server a 10.0.0.1:80\n", "`backend web.local`"),
        (
            SHARED + WEB + "    http-request deny\n",
            "`backend web.local from vhosts`",
        ),
        (
            SHARED + "backend web.local from vhosts\n    server a 10.0.0.1:80 resolvers dns\n",
            "`backend web.local from vhosts`",
        ),
        (
            SHARED + 'backend web.local from vhosts\n    server a 10.0.0.1:80 sni "str(a b)"\n',
            "`backend web.local from vhosts`",
        ),
        (
            SHARED + "backend web.local from vhosts\n    server a 10.0.0.1:80 weight\n",
            "`backend web.local from vhosts`",
        ),
        (SHARED + "listen web.local\n    bind :99\n", "`listen web.local`"),
        (SHARED.replace("    mode http\n", ""), "`mode http` in `defaults drove` is gone"),
    ],
    ids=[
        "shared line",
        "no named defaults",
        "rule in the backend",
        "option that add server refuses",
        "quoted word",
        "option without its argument",
        "listen section",
        "shared line gone",
    ],
)
def test_anything_else_reloads_and_names_the_first_line(after: str, line: str) -> None:
    assert difference(SHARED, after).reload == line


def test_servers_that_would_inherit_options_need_the_file() -> None:
    """Dynamic servers do not inherit `default-server`."""
    checked = SHARED.replace("init-addr last,libc,none", "check inter 2s")

    assert difference(checked, checked + WEB).reload == "`backend web.local from vhosts`"


def test_a_backend_of_another_defaults_section_is_loaded() -> None:
    moved = WEB.replace("from vhosts", "from drove")

    assert "another defaults section" in difference(SHARED + WEB, SHARED + moved).reload


def test_a_name_that_is_listed_twice_is_not_made_at_runtime() -> None:
    assert difference(SHARED, SHARED + WEB + WEB).reload == "`backend web.local from vhosts`"


def test_conditional_blocks_are_left_to_haproxy() -> None:
    conditional = f"{SHARED}.if defined(X)\n{WEB}.endif\n"

    assert difference(SHARED, conditional).reload != ""
    assert difference(conditional, conditional) == RuntimeDifference()


NAMES = st.sampled_from(["a.local", "b.local", "c.local", "d.local_blue"])


@given(st.sets(NAMES), st.sets(NAMES))
def test_carrying_a_difference_out_leads_to_the_new_configuration(
    before: set[str], after: set[str]
) -> None:
    def text(names: set[str]) -> str:
        return SHARED + "".join(WEB.replace("web.local", name) for name in sorted(names))

    found = difference(text(before), text(after))

    assert found.reload == ""
    reached = (before - set(found.removed)) | {backend.name for backend in found.added}
    assert reached == after
    assert {backend.name for backend in found.added}.isdisjoint(before)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert difference(text, text) == RuntimeDifference()
