"""Builds what `docker build` would, without an engine: the Dockerfile's steps in bare roots.

The bases are Debian roots of the same release, with the proxy's program put where the base has it,
unless a RUN installs it.
Every RUN is executed as it is written, and COPY copies what it names.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.container.dockerfile import FILE, PROJECT, Instruction, Stage, stages

from drove_gateway.demo.proxy import find_program

STAGES = stages(FILE.read_text())
SUITE = "bookworm"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def debian(root: Path) -> None:
    """A minimal Debian in `root`."""
    _run("debootstrap", "--variant=minbase", "--include=ca-certificates", SUITE, root)
    # A root for tests needs no protection from a loss of power, which takes most of the time.
    (root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for configured in (_CERTIFICATES, Path("/etc/pip.conf")):
        if configured.exists():
            shutil.copy(configured, f"{root}{configured}")


def wheel(directory: Path) -> Path:
    """The project's wheel, as `make wheel` puts it into dist/."""
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", directory, PROJECT)
    (made,) = directory.glob("*.whl")
    return made


def build_stage(bare: Path, wheel: Path, root: Path) -> None:
    """The root of the stage that is thrown away, made from a copy of the `bare` Debian."""
    _copy(bare, root)
    _follow(STAGES[0], root, lambda instruction: _copy_sources(instruction, wheel, root))


def image(platform: str, bare: Path, built: Path, root: Path) -> None:
    """The root of the image for `platform`, with what the first stage has `built`."""
    base = next(stage for stage in STAGES[1:-1] if stage.name == platform)
    _copy(bare, root)
    put_program = {"nginx": _nginx, "haproxy": _haproxy}.get(platform)
    if put_program is not None:
        put_program(root)
    _follow(base, root, _no_copy)
    _follow(STAGES[-1], root, lambda instruction: _copy_between(instruction, built, root))


def _follow(stage: Stage, root: Path, copy: Callable[[Instruction], None]) -> None:
    for instruction in stage.instructions:
        if instruction.keyword == "RUN":
            _run("chroot", root, "/bin/sh", "-c", instruction.value)
        elif instruction.keyword == "COPY":
            copy(instruction)


def _copy_sources(instruction: Instruction, wheel: Path, root: Path) -> None:
    *sources, target = instruction.value.split()
    assert sources == ["constraints.txt", "dist/*.whl"]
    place = Path(f"{root}{target}")
    place.mkdir(parents=True)
    shutil.copy(PROJECT / "constraints.txt", place)
    shutil.copy(wheel, place)


def _copy_between(instruction: Instruction, source: Path, target: Path) -> None:
    option, what, where = instruction.value.split()
    assert option == "--from=build"
    _run("cp", "-a", f"{source}{what}", f"{target}{where}")


def _no_copy(instruction: Instruction) -> None:
    raise AssertionError(f"COPY {instruction.value}: nothing is copied into a base")


def _nginx(root: Path) -> None:
    """As in the base: temporary files below /var/cache/nginx, the file and pid where they are."""
    (root / "var/cache/nginx").mkdir(parents=True)
    shutil.copy(find_program("nginx", None), root / "usr/local/lib/nginx")
    arguments = "-p /var/cache/nginx -c /etc/nginx/nginx.conf"
    _script(root / "usr/sbin/nginx", f'exec /usr/local/lib/nginx {arguments} "$@"')


def _haproxy(root: Path) -> None:
    """As in the base: the file where it is, and the user of the workers."""
    _run("chroot", root, "useradd", "--system", "--user-group", "haproxy")
    program = find_program("haproxy", None)
    shutil.copytree(program.parent, root / "usr/local/lib/haproxy")
    _script(root / "usr/local/sbin/haproxy", 'exec /usr/local/lib/haproxy/haproxy "$@"')


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _copy(source: Path, target: Path) -> None:
    _run("cp", "-a", source, target)


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**environ, "PATH": _PATH}
    )
    message = f"{shlex.join(words)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, message


_PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin:/usr/bin:/bin"
