"""The client: framing, replies, limits, and what an operator reads when it goes wrong."""

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.haproxy.imitation import Model, Server, serve, serve_raw
from tests.proxies.haproxy.process import Haproxy
from tests.traffic import free_port

from drove_gateway.config.addresses import TcpSocket, UnixSocket, socket_address
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict, verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command


def api(path: Path, timeout: float = 5.0, counts: CountingMetrics | None = None) -> RuntimeApi:
    return RuntimeApi(
        UnixSocket(str(path)),
        timeout=timeout,
        clock=lambda: 0.0,
        metrics=counts or CountingMetrics(),
        log=EventLog(structlog.get_logger()),
    )


async def test_each_command_gets_its_own_reply(short_path: Path) -> None:
    model = Model({"b": {}})
    async with serve(short_path / "s", model.answer):
        replies = await api(short_path / "s").run(
            [
                commands.add_server("b", "s1", "10.0.0.1", 80, "weight 3"),
                commands.set_state("b", "s1", "ready"),
                commands.set_state("b", "nobody", "ready"),
                commands.set_state("nowhere", "s1", "ready"),
                commands.show_servers("b"),
                commands.delete_server("b", "s1"),
            ]
        )
    assert [reply.verdict for reply in replies] == [
        Verdict.DONE,
        Verdict.DONE,
        Verdict.NO_SERVER,
        Verdict.NO_BACKEND,
        Verdict.DONE,
        Verdict.NOT_IN_MAINTENANCE,
    ]
    assert state.servers(replies[4].text)["b"][0].port == 80


async def test_thousands_of_commands_are_one_batch(short_path: Path) -> None:
    model = Model({"b": {}})
    batch = [commands.add_server("b", f"s{n}", "10.0.0.1", 80, "") for n in range(5000)]
    async with serve(short_path / "s", model.answer):
        replies = await api(short_path / "s").run(batch)
    assert {reply.verdict for reply in replies} == {Verdict.DONE}
    assert len(model.backends["b"]) == 5000


async def test_an_unknown_reply_is_an_error_that_names_command_and_reply(
    short_path: Path,
) -> None:
    async with serve(short_path / "s", lambda _: "Permission denied"):
        (reply,) = await api(short_path / "s").run([commands.set_state("b", "s1", "drain")])
    assert reply.verdict is None
    assert str(reply.problem()) == (
        'HAProxy replied "Permission denied" to `set server b/s1 state drain` (the stats socket '
        "needs `level admin`)"
    )


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\n> ",
        b"HTTP/1.1 400 Bad request\r\nContent-Length: 90\r\n\r\n<html>",
        b"\xff\xfe\x00garbage" * 100,
        b"\n> \n> \n> \n> \n> \n> ",
    ],
    ids=["nothing", "cut short", "another program", "no text", "too many replies"],
)
async def test_garbage_is_an_error(short_path: Path, reply: bytes) -> None:
    async with serve_raw(short_path / "s", reply):
        with pytest.raises(RuntimeApiError, match=r"s1|runtime API"):
            await api(short_path / "s").run([commands.set_state("b", "s1", "ready")])


async def test_a_socket_that_hangs_is_given_up(short_path: Path) -> None:
    async with serve_raw(short_path / "s", b"\n> ", hang=True):
        with pytest.raises(RuntimeApiError, match="no reply in time"):
            await api(short_path / "s", timeout=0.05).run([commands.SHOW_INFO])


async def test_a_missing_socket_is_named(short_path: Path) -> None:
    with pytest.raises(RuntimeApiError, match=r"/nowhere cannot be reached: No such file"):
        await api(short_path / "nowhere").ask(commands.SHOW_INFO)


async def test_a_host_and_port_that_refuse_are_named() -> None:
    client = RuntimeApi(
        TcpSocket("::1", 1),
        timeout=5,
        clock=lambda: 0.0,
        metrics=CountingMetrics(),
        log=EventLog(structlog.get_logger()),
    )
    with pytest.raises(RuntimeApiError, match=r"at \[::1\]:1 cannot be reached"):
        await client.ask(commands.SHOW_INFO)


async def test_calls_and_durations_are_counted(short_path: Path) -> None:
    counts = CountingMetrics()
    async with serve(short_path / "s", Model({"b": {"s1": Server("10.0.0.1", 80)}}).answer):
        client = api(short_path / "s", counts=counts)
        await client.run([commands.set_state("b", name, "ready") for name in ("s1", "s2")])
    with pytest.raises(RuntimeApiError):
        await client.ask(commands.SHOW_INFO)
    assert counts.calls == {
        ("set_server_state_ready", True): 1,
        ("set_server_state_ready", False): 1,
        ("show_info", False): 1,
    }
    assert counts.results == [True]
    assert counts.reads == [False]


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a/b", "a\nb", "a\\b", "ä"])
def test_no_name_can_begin_another_command(name: str) -> None:
    with pytest.raises(RuntimeApiError, match="nothing was sent"):
        commands.set_state("b", name, "ready")
    with pytest.raises(RuntimeApiError, match="nothing was sent"):
        commands.show_servers(name)


@pytest.mark.parametrize("address", ["999.1.1.1", "host.example", "10.0.0.1;del", "", "10.0.0"])
def test_only_real_addresses_are_sent(address: str) -> None:
    with pytest.raises(RuntimeApiError, match="nothing was sent"):
        commands.add_server("b", "s", address, 80, "")
    with pytest.raises(RuntimeApiError, match="nothing was sent"):
        commands.set_address("b", "s", address, 80)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_only_real_ports_are_sent(port: int) -> None:
    with pytest.raises(RuntimeApiError, match="nothing was sent"):
        commands.add_server("b", "s", "10.0.0.1", port, "")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("check  inter 2s\n", "check inter 2s"),
        ("sni str(a);del server b/s", r"sni str(a)\;del server b/s"),
        (r"sni str(a\;b)", r"sni str(a\;b)"),
        (r"a\\;b", r"a\\\;b"),
        (";", r"\;"),
    ],
)
def test_options_cannot_begin_another_command(text: str, escaped: str) -> None:
    assert commands.escaped_attributes(text) == escaped


def test_an_operation_without_replies_of_its_own_is_never_a_success() -> None:
    with pytest.raises(RuntimeApiError):
        verdict(Command("something_new", "something new"), "Fine.")


@pytest.mark.parametrize(("form", "host"), [("ipv4@127.0.0.1", "127.0.0.1"), ("ipv6@::1", "::1")])
async def test_a_real_haproxy_answers_over_tcp_too(
    program: Path, short_path: Path, form: str, host: str
) -> None:
    haproxy, port = Haproxy(program, short_path), free_port()
    haproxy.config.write_text(
        f"global\n    stats socket {haproxy.socket} level admin\n"
        f"    stats socket {form}:{port} level admin\n"
        "defaults\n    mode http\n    timeout connect 1s\n    timeout client 1s\n"
        "    timeout server 1s\nbackend b\n"
    )
    await haproxy.start()
    try:
        address = socket_address(f"{form}:{port}")
        assert address == TcpSocket(host, port)
        client = RuntimeApi(
            address,
            timeout=5,
            clock=lambda: 0.0,
            metrics=CountingMetrics(),
            log=EventLog(structlog.get_logger()),
        )
        replies = await client.run(
            [
                commands.add_server("b", "s1", "::1", 80, ""),
                commands.set_address("b", "s1", "10.0.0.1", 80),
                commands.set_address("b", "s1", "10.0.0.1", 80),
                commands.show_servers("b"),
            ]
        )
        assert {reply.verdict for reply in replies} == {Verdict.DONE}
        assert state.servers(replies[-1].text)["b"][0].address == "10.0.0.1"
    finally:
        await haproxy.kill()


async def trickle(path: Path, pause: float) -> asyncio.Server:
    """A socket that sends a byte at a time, without end."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()

    return await asyncio.start_unix_server(talk, path)


async def test_a_socket_that_sends_a_byte_at_a_time_is_given_up_in_time(short_path: Path) -> None:
    async with await trickle(short_path / "s", 0.05):
        begin = time.monotonic()
        with pytest.raises(RuntimeApiError, match="no reply in time"):
            await api(short_path / "s", timeout=0.5).ask(commands.SHOW_INFO)
        await asyncio.sleep(0.2)
    assert 0.4 < time.monotonic() - begin < 3


async def test_a_socket_that_was_silent_is_not_waited_for_so_long_again(short_path: Path) -> None:
    runtime = api(short_path / "s", timeout=2.5)
    async with serve_raw(short_path / "s", b"", hang=True):
        took = []
        for _ in range(2):
            begin = time.monotonic()
            with pytest.raises(RuntimeApiError, match="no reply in time"):
                await runtime.ask(commands.SHOW_INFO)
            took.append(time.monotonic() - begin)
    assert took[0] > 2.4
    assert took[1] < 2
    async with serve(short_path / "s2", Model({"b": {}}).answer):
        (short_path / "s").unlink(missing_ok=True)
        (short_path / "s2").rename(short_path / "s")
        assert state.process(await runtime.ask(commands.SHOW_INFO))


async def test_a_socket_without_a_process_says_that_haproxy_does_not_run(short_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(short_path / "s"))
    with pytest.raises(RuntimeApiError, match=r"HAProxy does not run, so nobody is served"):
        await api(short_path / "s").ask(commands.SHOW_INFO)


async def test_debug_shows_each_command_with_its_reply(short_path: Path) -> None:
    model = Model({"b": {}})
    async with serve(short_path / "s", model.answer):
        with structlog.testing.capture_logs() as lines:
            await api(short_path / "s").run(
                [
                    commands.add_server("b", "s1", "10.0.0.1", 80, ""),
                    commands.delete_server("b", "s2"),
                ]
            )
    assert [(line["event"], line["proxy"], line["log_level"]) for line in lines] == [
        ("runtime_command", "HAProxy", "debug")
    ] * 2
    assert [line["command"] for line in lines] == [
        "add server b/s1 10.0.0.1:80",
        "del server b/s2",
    ]
    assert "New server registered" in lines[0]["reply"]


async def test_debug_hides_what_follows_the_first_line_of_a_command(short_path: Path) -> None:
    key = Command("set_cert", "set ssl cert a.pem <<\n-----BEGIN PRIVATE KEY-----")
    with structlog.testing.capture_logs() as lines, pytest.raises(RuntimeApiError):
        await api(short_path / "missing").run([key])
    assert [line["command"] for line in lines] == ["set ssl cert a.pem <<"]
    assert "cannot be reached" in lines[0]["reply"]
