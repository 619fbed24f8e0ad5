"""Whatever a runtime socket answers: something that can be used, or a RuntimeApiError."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api import replies
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state

HEADER = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
rows = st.lists(st.lists(words | st.integers().map(str), max_size=30).map(" ".join), max_size=6)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)

READERS: list[Callable[[str], object]] = [
    state.servers,
    lambda text: state.connections(text, ("b",)),
    state.backends,
    state.process,
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(text=texts)
def test_any_text_is_read_or_refused(read: Callable[[str], object], text: str) -> None:
    with contextlib.suppress(RuntimeApiError):
        read(text)


@given(lines=rows)
def test_any_rows_under_a_true_header_are_read_or_refused(lines: list[str]) -> None:
    with contextlib.suppress(RuntimeApiError):
        state.servers(HEADER + "\n".join(lines))


@given(text=texts)
def test_any_reply_gets_a_verdict_or_is_refused(text: str) -> None:
    with contextlib.suppress(RuntimeApiError):
        replies.verdict(commands.SHOW_BACKENDS, text)
    with contextlib.suppress(RuntimeApiError, UnicodeError):
        replies.split(
            text.encode(errors="surrogatepass"), [commands.SHOW_BACKENDS, commands.SHOW_ALL_SERVERS]
        )
