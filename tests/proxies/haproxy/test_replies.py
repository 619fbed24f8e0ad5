"""Every reply that HAProxy 2.8, 3.0 and 3.4 gave, and what it means."""

import pytest
import structlog
from tests.benches.in_process import CountingMetrics

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.certificate_commands import show_list
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict, split, verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.runtime.servers import Process

ADD = commands.add_server("b", "s", "10.0.0.1", 80, "")
READY = commands.set_state("b", "s", "ready")
MOVE = commands.set_address("b", "s", "10.0.0.1", 80)
DELETE = commands.delete_server("b", "s")
HEALTH = commands.enable_health("b", "s")
ADD_BACKEND = commands.add_backend("b", "vhosts")
DELETE_BACKEND = commands.delete_backend("b")
SHOW = commands.show_servers("b")


@pytest.mark.parametrize(
    ("command", "reply", "expected"),
    [
        (ADD, "New server registered.", Verdict.DONE),
        (ADD, "Already exists a server with the same name in backend.", Verdict.EXISTS),
        (ADD, "No such backend.", Verdict.NO_BACKEND),
        (
            ADD,
            "Backend must use a dynamic load balancing to support dynamic servers.",
            Verdict.NEEDS_RELOAD,
        ),
        (show_list("/tls"), "didn't find the specified filename", Verdict.NO_LIST),
        (ADD_BACKEND, "New backend registered.", Verdict.DONE),
        (
            ADD_BACKEND,
            "Error during backend creation : name is already used by other proxy 'backend b'.",
            Verdict.EXISTS,
        ),
        (commands.publish_backend("b"), "Backend published.", Verdict.DONE),
        (commands.unpublish_backend("b"), "Backend unpublished.", Verdict.DONE),
        (commands.unpublish_backend("b"), "No such backend.", Verdict.NO_BACKEND),
        (DELETE_BACKEND, "Backend deleted.", Verdict.DONE),
        (DELETE_BACKEND, "Server deleted.\nBackend deleted.", Verdict.DONE),
        (DELETE_BACKEND, "Only a backend without server can be deleted.", Verdict.BUSY),
        (DELETE_BACKEND, "Backend still has attached streams on it.", Verdict.BUSY),
        (READY, "", Verdict.DONE),
        (READY, "No such server.", Verdict.NO_SERVER),
        (READY, "No such backend.", Verdict.NO_BACKEND),
        (HEALTH, "", Verdict.DONE),
        (
            HEALTH,
            "Health check was not configured on this server, cannot enable.",
            Verdict.NOT_CHECKED,
        ),
        (MOVE, "nothing changed", Verdict.DONE),
        (
            MOVE,
            "no need to change the addr, no need to change the port by 'stats socket command'",
            Verdict.DONE,
        ),
        (
            MOVE,
            "no need to change the addr, port changed from '1' to '2' by 'stats socket command'",
            Verdict.DONE,
        ),
        (
            MOVE,
            (
                "IP changed from '127.0.0.1' to '127.0.0.2', no need to change the port by 'stats "
                "socket command'"
            ),
            Verdict.DONE,
        ),
        (MOVE, "IP changed from '10.0.0.1' to '::1' by 'stats socket command'", Verdict.DONE),
        (MOVE, "port changed from '1' to '2' by 'stats socket command'", Verdict.DONE),
        (
            MOVE,
            (
                "IP changed from '127.0.0.1' to '127.0.0.3', port changed from '1' to '2' by "
                "'stats socket command'"
            ),
            Verdict.DONE,
        ),
        (DELETE, "Server deleted.", Verdict.DONE),
        (DELETE, "No such server.", Verdict.NO_SERVER),
        (
            DELETE,
            "Only servers in maintenance mode can be deleted.",
            Verdict.NOT_IN_MAINTENANCE,
        ),
        (
            DELETE,
            "Server still has connections attached to it, cannot remove it.",
            Verdict.BUSY,
        ),
        (
            DELETE,
            (
                "This server cannot be removed at runtime due to other configuration elements "
                "pointing to it."
            ),
            Verdict.PINNED,
        ),
        (SHOW, "Can't find backend.", Verdict.NO_BACKEND),
        (commands.wait_removable("b", "s", 5), "Done.", Verdict.DONE),
        (commands.wait_removable("b", "s", 5), "Failed.", Verdict.BUSY),
        (commands.SHOW_BACKENDS, "# name", Verdict.DONE),
        (commands.SHOW_BACKENDS, "# name\nb1\nb2", Verdict.DONE),
    ],
)
def test_a_known_reply_has_a_meaning(command: Command, reply: str, expected: Verdict) -> None:
    assert verdict(command, reply) is expected


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (ADD, ""),
        (ADD, "unknown keyword 'x'."),
        (ADD, "'init-addr' option is not accepted for dynamic server"),
        (READY, "Permission denied"),
        (MOVE, "Invalid addr 'foo' by 'stats socket command'"),
        (MOVE, ""),
        (DELETE, ""),
        (SHOW, "1"),
        (SHOW, "2\n# be_id be_name"),
        (commands.SHOW_INFO, ""),
    ],
)
def test_any_other_reply_is_an_error(command: Command, reply: str) -> None:
    with pytest.raises(RuntimeApiError, match="HAProxy replied"):
        verdict(command, reply)


def test_a_reply_that_is_missing_names_its_command() -> None:
    with pytest.raises(RuntimeApiError, match=r"1 replies to 2 .* `set server b/s state ready`"):
        split(b"\n> New server registered.\n\n> ", [ADD, READY])


STATE = (
    "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight "
    "srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)


def test_servers_are_read_by_the_names_of_the_columns() -> None:
    lines = (
        "4 b1 1 d 127.0.0.3 2 8 1 1 0 1 0 0 0 0 0 0 - 18990 - 0 0 - - 0\n"
        "4 b1 2 n ::1 0 1 5 1 0 1 2 0 0 0 0 0 node.example 80 - 0 0 - - 0"
    )
    read = {server.name: server for server in state.servers(f"{STATE}\n{lines}")["b1"]}
    assert (read["d"].address, read["d"].port, read["d"].held) == ("127.0.0.3", 18990, "drain")
    assert (read["d"].checked, read["n"].checked) == (False, True)
    assert (read["d"].serving, read["n"].serving) == (False, False)
    assert read["n"].held == "maintenance"
    assert state.servers(STATE) == {}


@pytest.mark.parametrize(
    "text", ["2\n# x", "1\n# be_id srv_name", f"{STATE}\n4 b1 1", f"{STATE}\n{'x ' * 25}"]
)
def test_states_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(RuntimeApiError, match="show servers state"):
        state.servers(text)


def test_connections_in_use_are_read() -> None:
    text = (
        "# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb "
        "safe_nb idle_lim idle_cur idle_per_thr[2]\n"
        "b1/a 3/1 127.0.0.1 18990 - 5000 1 2 2 1 0 -1 1 0 1"
    )
    assert state.connections(text, ("b1",)) == {"b1": [("a", 1)]}
    with pytest.raises(RuntimeApiError, match="show servers conn"):
        state.connections("# bkname/svname\nb1/a", ("b1",))


def test_another_process_shows_by_its_pid_or_its_age() -> None:
    first = state.process("Name: HAProxy\nVersion: 2.8.25\nPid: 7\nUptime_sec: 100")
    api = RuntimeApi(
        UnixSocket("/none"),
        timeout=1,
        clock=lambda: 0.0,
        metrics=CountingMetrics(),
        log=EventLog(structlog.get_logger()),
    )
    adapter = HaproxyAdapter(api, Options())
    assert not adapter.replaced(first, Process(7, uptime=101))
    assert adapter.replaced(first, Process(8, uptime=101))
    assert adapter.replaced(first, Process(7, uptime=2))
    with pytest.raises(RuntimeApiError, match="show info"):
        state.process("Name: HAProxy")
