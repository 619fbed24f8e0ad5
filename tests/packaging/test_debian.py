"""The Debian package, installed, used, upgraded, removed and purged in one root, in this order."""

import asyncio
import re
import shutil
import stat
from pathlib import Path

import pytest
from tests.packaging.machine import REPOSITORY, Root, done, need

from drove_gateway.simulator import Simulator
from drove_gateway.templates import NAMES, shipped

CONFIG = "/etc/drove-gateway/nixy.toml"
UNITS = "/lib/systemd/system"


@pytest.fixture(scope="module")
def installed(root: Root, deb: Path) -> Root:
    """The root, with the package."""
    root.install(root.take(deb, "/tmp/"))
    return root


def test_lintian_finds_no_fault(deb: Path) -> None:
    need("lintian:lintian")
    faults = done("lintian", "--allow-root", "--fail-on", "none", deb)

    assert not [line for line in faults.splitlines() if line.startswith(("E:", "W:"))]


def test_nothing_in_it_names_the_machine_that_built_it(deb: Path, tmp_path: Path) -> None:
    done("dpkg-deb", "-R", deb, tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file() and not file.is_symlink():
            assert str(REPOSITORY).encode() not in file.read_bytes(), file


def test_it_brings_no_python_and_needs_none(installed: Root) -> None:
    assert installed.run("sh", "-c", "command -v python3 python").returncode != 0
    for program in ("drove-gateway", "nixy"):
        assert "version: " in installed.done(program, "-v")


def test_configuration_templates_and_their_rights(installed: Root) -> None:
    groups = installed.inside("/etc/group").read_text()
    group = re.search(r"\ndrove-gateway:x:(\d+):", groups)
    facts = installed.inside(CONFIG).stat()

    assert group
    assert (stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid) == (0o640, 0, int(group[1]))
    for name in NAMES:
        assert installed.inside(f"/etc/drove-gateway/{name}.tmpl").read_text() == shipped(name)


def test_it_is_not_started_before_it_is_configured(installed: Root) -> None:
    assert installed.run("systemctl", "is-enabled", "drove-gateway").stdout.strip() == "disabled"


def test_the_unit_is_the_documented_one(installed: Root) -> None:
    documented = REPOSITORY / "examples" / "systemd" / "drove-gateway.service"
    packaged = installed.inside(f"{UNITS}/drove-gateway.service").read_text()
    expected = re.sub("ExecStart=[^ ]*", "ExecStart=/usr/bin/drove-gateway", documented.read_text())

    assert packaged == expected[expected.index("[Unit]") :]


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
def test_the_proxys_drop_in_is_the_documented_one(installed: Root, proxy: str) -> None:
    name = f"{proxy}.service.d/drove-gateway.conf"
    documented = REPOSITORY / "examples" / "systemd" / name

    assert installed.inside(f"{UNITS}/{name}").read_text() == documented.read_text()


def test_systemd_understands_the_unit_and_finds_it_confined(installed: Root) -> None:
    installed.done("systemd-analyze", "verify", "--man=no", "drove-gateway.service")
    output = installed.done(
        "systemd-analyze", "security", "--offline=true", "drove-gateway.service"
    )
    exposure = re.search(r"exposure level for drove-gateway.service: ([\d.]+)", output)

    assert exposure
    assert float(exposure[1]) < 4


def test_manual_and_completion_are_there(installed: Root) -> None:
    assert installed.inside("/usr/share/man/man8/drove-gateway.8.gz").exists()
    assert installed.inside("/usr/share/man/man5/nixy.toml.5.gz").exists()
    for program, variable in {"drove-gateway": "DROVE_GATEWAY", "nixy": "NIXY"}.items():
        for script in (
            f"/usr/share/bash-completion/completions/{program}",
            f"/usr/share/zsh/vendor-completions/_{program}",
            f"/usr/share/fish/vendor_completions.d/{program}.fish",
        ):
            text = installed.inside(script).read_text()
            assert f"_{variable}_COMPLETE" in text
            assert program in text


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/operations.md",
        "docs/reference/configuration.md",
        "docs/reference/nixy.schema.json",
        "examples/alerts.yml",
        "examples/grafana.json",
        "examples/nixy-haproxy.toml",
        "examples/systemd/drove-gateway.service",
    ],
)
def test_documentation_is_there_and_not_compressed(installed: Root, name: str) -> None:
    text = installed.inside(f"/usr/share/doc/drove-gateway/{name}").read_text()

    assert text == (REPOSITORY / name).read_text()


def test_the_schema_is_where_the_configurations_say(installed: Root) -> None:
    examples = installed.inside("/usr/share/doc/drove-gateway/examples").glob("*.toml")
    for file in (installed.inside(CONFIG), *examples):
        directive, _, path = file.read_text().splitlines()[0].partition(" ")
        schema = file.parent / path if not path.startswith("/") else installed.inside(path)
        assert directive == "#:schema"
        assert schema.resolve().is_file(), file


def uncommented(text: str, start: str) -> str:
    """`text` with the settings of the section that begins with `start`."""
    before, found, after = text.partition(start)
    lines, dashes, rest = after.partition("\n# ---")
    return before + found + re.sub(r"(?m)^#(?=[a-z\[])", "", lines) + dashes + rest


def configure(root: Root, section: str, controller: str) -> None:
    """Do what the comments of the shipped configuration say."""
    file = root.inside(CONFIG)
    text = file.read_text()
    text = uncommented(uncommented(text, f"# --- {section} "), "# --- Drove clusters")
    file.write_text(re.sub(r"(?m)^drove = .*", f'drove = ["{controller}"]', text))


async def test_the_shipped_configuration_works_as_its_comments_say(
    installed: Root, cluster: Simulator
) -> None:
    configure(installed, "HAProxy", cluster.urls[0])

    checked = await asyncio.to_thread(installed.done, "drove-gateway", "check", "-f", CONFIG)
    rendered = await asyncio.to_thread(installed.done, "drove-gateway", "render", "-f", CONFIG)

    assert "3 servers" in checked
    assert "backend one.test" in rendered


def newer(deb: Path, directory: Path) -> Path:
    """Return the package as a later release, with another configuration and another template."""
    tree = directory / "tree"
    done("dpkg-deb", "-R", deb, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub("(?m)^Version: .*", "Version: 99.0-1", control.read_text()))
    for name in ("etc/drove-gateway/haproxy.tmpl", "usr/share/drove-gateway/nixy.toml"):
        with (tree / name).open("a") as file:
            file.write("# of a later release\n")
    done("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, directory / "newer.deb")
    shutil.rmtree(tree)
    return directory / "newer.deb"


def test_an_upgrade_keeps_what_was_edited_and_renews_what_was_not(
    installed: Root, deb: Path, tmp_path: Path
) -> None:
    with installed.inside(CONFIG).open("a") as file:
        file.write("# edited\n")
    package = installed.take(newer(deb, tmp_path), "/tmp/")
    installed.install("-o", "Dpkg::Options::=--force-confold", package)

    assert installed.inside(CONFIG).read_text().endswith("# edited\n")
    assert stat.S_IMODE(installed.inside(CONFIG).stat().st_mode) == 0o640
    template = installed.inside("/etc/drove-gateway/haproxy.tmpl").read_text()
    assert template.endswith("# of a later release\n")


def test_removing_keeps_the_configuration_and_purging_removes_it(installed: Root) -> None:
    state = installed.inside("/var/lib/drove-gateway")
    state.mkdir(exist_ok=True)
    installed.done("apt-get", "remove", "-qy", "drove-gateway")
    assert installed.inside(CONFIG).exists()
    assert not installed.inside("/usr/bin/drove-gateway").is_symlink()

    installed.done("apt-get", "purge", "-qy", "drove-gateway")
    assert not installed.inside("/etc/drove-gateway").exists()
    assert not installed.inside("/etc/logrotate.d/drove-gateway").exists()
    assert not state.exists()
