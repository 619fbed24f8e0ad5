"""The machine that builds: its tools, the artefacts, and bare roots without Python."""

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

REPOSITORY = Path(__file__).parents[2]
DIST = REPOSITORY / "dist"
_BARE = REPOSITORY / "build" / "roots" / "bare"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NETWORK = {name: os.environ[name] for name in os.environ if name.lower().endswith("_proxy")}


def run(
    *command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run to the end, both outputs in one text."""
    return subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def done(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a command prints; it must succeed."""
    ended = run(*command, env=env, cwd=cwd)
    assert ended.returncode == 0, f"{command} ended with {ended.returncode}:\n{ended.stdout}"
    return ended.stdout


def need(*tools: str) -> None:
    """Install tools, each a `PROGRAM:PACKAGE`; the test is skipped where that is impossible."""
    ended = run(REPOSITORY / "packaging" / "install-tools", *tools)
    if ended.returncode != 0:
        pytest.skip(f"cannot install {' '.join(tools)}: {ended.stdout.strip().splitlines()[-1]}")


def made(target: str, pattern: str) -> Path:
    """The artefact in dist/ that `make TARGET` builds."""
    done("make", "-C", REPOSITORY, target)
    (artefact,) = DIST.glob(pattern)
    return artefact


class Root(msgspec.Struct, frozen=True):
    """A file system of its own, with Debian's smallest base and no Python."""

    path: Path

    def _command(self, *command: str) -> tuple[str | Path, ...]:
        return ("/usr/sbin/chroot", self.path, *command)

    def run(
        self, *command: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run inside, with `env` or a usual environment."""
        usual = {"PATH": _PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        return run(*self._command(*command), env=usual | _NETWORK if env is None else env)

    def done(self, *command: str, env: dict[str, str] | None = None) -> str:
        """What a command prints inside; it must succeed."""
        ended = self.run(*command, env=env)
        assert ended.returncode == 0, f"{command} ended with {ended.returncode}:\n{ended.stdout}"
        return ended.stdout

    def install(self, *packages: str) -> str:
        """Install Debian packages, or files of them, without what they merely recommend."""
        return self.done("apt-get", "install", "-qy", "--no-install-recommends", *packages)

    def take(self, file: Path, inside: str) -> str:
        """Copy a file into it; gives its name there."""
        shutil.copy2(file, self.path / inside.lstrip("/"))
        return inside if not inside.endswith("/") else inside + file.name

    def inside(self, path: str) -> Path:
        """A path in it, from outside."""
        return self.path / path.lstrip("/")


def bare_root() -> Root:
    """The bare root from which others are copied; made once, in build/."""
    if os.geteuid() != 0:
        pytest.skip("bare roots need root")
    if not _BARE.exists():
        need("debootstrap:debootstrap")
        new = _BARE.with_name("new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        mirror, suite = _debian()
        ended = run("debootstrap", "--variant=minbase", suite, new, mirror)
        if ended.returncode != 0:
            pytest.skip(f"debootstrap cannot make a root:\n{ended.stdout[-2000:]}")
        # A root for tests needs no protection from a loss of power, which takes most of the time.
        (new / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
        new.rename(_BARE)
    return Root(_BARE)


def copied(root: Root, path: Path) -> Root:
    """A copy of a root."""
    done("cp", "-a", root.path, path)
    return Root(path)


def _debian() -> tuple[str, str]:
    """Mirror and suite that this machine's own packages come from."""
    listed = run(
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI) $(RELEASE)",
        "Created-By: Packages",
        "Label: Debian",
    )
    found = [line.split() for line in listed.stdout.splitlines() if len(line.split()) == 2]
    if not found:
        pytest.skip("this machine's packages do not come from Debian")
    mirror, suite = min(found, key=lambda pair: len(pair[1]))
    return mirror, suite
