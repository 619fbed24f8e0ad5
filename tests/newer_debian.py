"""Proxies from newer Debian releases, unpacked beside the system's own.

Debian's stable release carries HAProxy and NGINX versions that are years old. A package of a newer
suite runs on an older system when its libraries are unpacked with it and its own dynamic loader
starts it. Nothing is installed: packages are downloaded from the archive that this machine's apt
is configured for, and unpacked into a directory.
"""

import fcntl
import re
import shutil
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec

_ROOT = Path(__file__).parents[1] / ".newer-debian"
_SECONDS = 180
_LIBRARIES = ("libc6", "libgcc-s1", "libstdc++6", "libcrypt1", "zlib1g", "libzstd1")


class Unpacked(msgspec.Struct, frozen=True):
    """A program of an unpacked package: `command` starts it, `root` is where its files are."""

    command: Path
    root: Path


@lru_cache
def haproxy() -> Unpacked | str:
    """HAProxy 3.4 or newer, or why it cannot be installed here."""
    libraries = ("libssl3t64", "libpcre2-8-0", "liblua5.4-0", "libjemalloc2", "libsystemd0")
    more = ("libopentracing-c-wrapper0t64", "libopentracing1", "libcap2")
    return _unpacked(
        "haproxy", ("haproxy/experimental", *libraries, *more), program="usr/sbin/haproxy"
    )


@lru_cache
def nginx() -> Unpacked | str:
    """NGINX with its Lua module, newer than stable's, or why it cannot be installed here."""
    lua = ("libnginx-mod-http-lua", "libnginx-mod-http-ndk", "libluajit-5.1-2")
    resty = ("lua-resty-core", "lua-resty-lrucache")
    return _unpacked(
        "nginx",
        ("nginx", "libssl3t64", "libpcre2-8-0", *lua, *resty),
        program="usr/sbin/nginx",
    )


def _unpacked(name: str, packages: Sequence[str], *, program: str) -> Unpacked | str:
    root, command = _ROOT / name, _ROOT / f"{name}.sh"
    found = Unpacked(command, root)
    if command.exists():
        return found
    _ROOT.mkdir(exist_ok=True)
    with (_ROOT / f"{name}.lock").open("w") as lock:
        # Several test processes may want the same package.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return found if command.exists() else _unpack(found, packages, program)


def _unpack(found: Unpacked, packages: Sequence[str], program: str) -> Unpacked | str:
    root, command = found.root, found.command
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return "apt-get and dpkg are needed to unpack newer Debian packages"
    shutil.rmtree(root, ignore_errors=True)
    try:
        _download(root, (*packages, *_LIBRARIES))
        loader = next(root.rglob("ld-linux-*.so.*"))
        libraries = loader.parent
    except (subprocess.SubprocessError, OSError, StopIteration, LookupError) as error:
        message = getattr(error, "stderr", "") or str(error)
        return f"newer Debian packages cannot be unpacked: {message.strip()[-300:]}"
    # A master process starts itself again by its own name, which must be this script.
    command.write_text(
        f'#!/bin/sh\nexec {loader} --argv0 "$0" --library-path {libraries} {root / program} "$@"\n'
    )
    command.chmod(0o755)
    return found


def _download(root: Path, packages: Sequence[str]) -> None:
    apt = root / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "sources", "debs"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources" / "newer.sources").write_text(
        f"Types: deb\nURIs: {_archive()}\nSuites: sid experimental\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    options = [
        f"-oDir::State::lists={apt / 'lists'}",
        f"-oDir::State::status={apt / 'status'}",
        f"-oDir::Cache={apt / 'cache'}",
        "-oDir::Etc::sourcelist=/dev/null",
        f"-oDir::Etc::sourceparts={apt / 'sources'}",
        "-oAPT::Sandbox::User=",
    ]
    _run(["apt-get", *options, "-q", "update"], apt)
    _run(["apt-get", *options, "-q", "download", *packages], apt / "debs")
    for package in sorted((apt / "debs").glob("*.deb")):
        _run(["dpkg", "-x", str(package), str(root)], apt)
    shutil.rmtree(apt)


def _archive() -> str:
    """The address of the Debian archive that this machine uses. Raises LookupError."""
    etc = Path("/etc/apt")
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    for address in re.findall(r"^(?:URIs:|deb(?:\s+\[[^]]*\])?)\s+(\S+)", text, re.MULTILINE):
        if re.search(r"/debian/?$", address):
            return str(address)
    raise LookupError("apt's configuration names no Debian archive")


def _run(command: list[str], directory: Path) -> None:
    subprocess.run(
        command, cwd=directory, check=True, capture_output=True, text=True, timeout=_SECONDS
    )
