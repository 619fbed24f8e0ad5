"""Reloads over the master socket: taken, refused, unreachable, and not a master at all."""

from pathlib import Path

import pytest
from tests.proxies.haproxy.imitation import serve_raw

from drove_gateway.model.errors import CommandFailed, CommandTimeout, RuntimeApiError
from drove_gateway.proxies.haproxy.api import master


async def test_a_configuration_that_is_taken_is_not_an_error(short_path: Path) -> None:
    async with serve_raw(short_path / "m", b"Success=1\n--\n[NOTICE] Loading success.\n\n"):
        await master.reload(str(short_path / "m"), timeout=5)


async def test_a_configuration_that_is_refused_is_an_error_with_the_log(short_path: Path) -> None:
    reply = b"Success=0\n--\n[ALERT] (12) : config : parsing [haproxy.cfg:3] : unknown keyword\n\n"
    async with serve_raw(short_path / "m", reply):
        with pytest.raises(
            CommandFailed, match=r"old worker keeps serving.*unknown keyword"
        ) as caught:
            await master.reload(str(short_path / "m"), timeout=5)
    assert "haproxy.cfg:3" in caught.value.output


async def test_an_old_master_that_says_nothing_has_been_asked(short_path: Path) -> None:
    """HAProxy 2.6 executes itself anew and closes the connection; the proof tells the rest."""
    async with serve_raw(short_path / "m", b""):
        await master.reload(str(short_path / "m"), timeout=5)


@pytest.mark.parametrize("reply", [b"Unknown command\n", b"x" * 100_000])
async def test_anything_else_is_an_error_that_quotes_it(short_path: Path, reply: bytes) -> None:
    async with serve_raw(short_path / "m", reply):
        with pytest.raises((RuntimeApiError, CommandFailed), match="master socket"):
            await master.reload(str(short_path / "m"), timeout=5)


async def test_a_master_that_does_not_answer_is_given_up(short_path: Path) -> None:
    async with serve_raw(short_path / "m", b"", hang=True):
        with pytest.raises(CommandTimeout, match="did not reply to `reload`"):
            await master.reload(str(short_path / "m"), timeout=0.05)


async def test_a_missing_master_socket_is_named(short_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be reached: No such file"):
        await master.reload(str(short_path / "m"), timeout=5)
