"""The RPM: what it says, and what it does in a root."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.packaging.machine import REPOSITORY, Root, copied, done, need
from tests.packaging.original import CONFIG as ORIGINAL_CONFIG
from tests.packaging.original import original_rpm

SPECIFICATION = REPOSITORY / "packaging" / "rpm" / "drove-gateway."
CONFIG = "/etc/drove-gateway/nixy.toml"
WANTED_BY = "/etc/systemd/system/multi-user.target.wants/drove.gateway.service"
ALIAS = "/etc/systemd/system/nixy.service"


@pytest.fixture(scope="module")
def installed(bare: Root, rpm: Path) -> Iterator[Root]:
    """A root with the RPM installed into it from outside, without the packages it depends on."""
    with tempfile.TemporaryDirectory(prefix="dg-root-", dir="/tmp") as name:
        root = copied(bare, Path(name, "root"))
        done("rpm", "--root", root.path, "--nodeps", "-i", rpm)
        yield root


def test_rpmlint_understands_the_specification() -> None:
    need("rpmspec:rpm", "rpmlint:rpmlint")
    output = done("rpmlint", "-r", f"{SPECIFICATION}rpmlintrc", f"{SPECIFICATION}spec")

    assert " 0 errors" in output


def test_it_holds_the_files_of_the_debian_package(deb: Path, rpm: Path) -> None:
    listed = (line.split()[5] for line in done("dpkg-deb", "-c", deb).splitlines())
    theirs = {name.removeprefix(".").rstrip("/") for name in listed}
    ours = set(done("rpm", "-qpl", rpm).splitlines())

    for place in ("/etc/drove-gateway", "/etc/logrotate.d/", "/usr/bin/", "/usr/lib/drove-gateway"):
        assert {name for name in theirs if name.startswith(place)} <= ours
    assert "/usr/lib/systemd/system/drove-gateway.service" in ours


def test_it_runs_where_there_is_no_python(installed: Root) -> None:
    for program in ("drove-gateway", "nixy"):
        assert "version: " in installed.done(f"/usr/bin/{program}", "-v", env={})


def test_the_user_may_read_the_configuration_and_others_may_not(installed: Root) -> None:
    output = installed.done("stat", "-c", "%a %U %G", CONFIG)

    assert output == "640 root drove-gateway\n"


def test_configuration_outlives_removal(installed: Root) -> None:
    with installed.inside(CONFIG).open("a") as file:
        file.write("# edited\n")
    done("rpm", "--root", installed.path, "--nodeps", "-e", "drove-gateway")

    assert installed.inside(CONFIG).read_text().endswith("# edited\n")
    assert not installed.inside("/usr/bin/drove-gateway").exists()


def test_bundled_libraries_have_no_build_id_links(rpm: Path) -> None:
    assert "/.build-id/" not in done("rpm", "-qpl", rpm)


@pytest.fixture(params=[True, False], ids=["configuration", "plain files"])
def upgraded(
    request: pytest.FixtureRequest, bare: Root, rpm: Path, tmp_path: Path
) -> Iterator[Root]:
    """A root with the original, enabled and with an edited configuration, after the upgrade."""
    package = original_rpm(tmp_path, "# shipped\n", "# the template\n", conffile=request.param)
    with tempfile.TemporaryDirectory(prefix="dg-root-", dir="/tmp") as name:
        root = copied(bare, Path(name, "root"))
        done("rpm", "--root", root.path, "--nodeps", "-i", package)
        with root.inside(ORIGINAL_CONFIG).open("a") as file:
            file.write("# edited\n")
        for link in WANTED_BY, ALIAS:
            root.inside(link).parent.mkdir(parents=True, exist_ok=True)
            root.inside(link).symlink_to("/lib/systemd/system/drove.gateway.service")
        done("rpm", "--root", root.path, "--nodeps", "-U", rpm)
        yield root


def test_installing_over_the_original_is_an_upgrade_that_keeps_its_files(upgraded: Root) -> None:
    assert "drove-gateway-3" in done("rpm", "--root", upgraded.path, "-q", "drove-gateway")
    assert "version: 3" in upgraded.done("/usr/bin/nixy", "-v", env={})
    assert upgraded.inside(ORIGINAL_CONFIG).read_text() == "# shipped\n# edited\n"
    assert upgraded.inside("/etc/nixy/haproxy.tmpl").read_text() == "# the template\n"
    assert not upgraded.inside(CONFIG).exists()
    assert not upgraded.inside("/var/lib/drove-gateway/original").exists()


def test_the_originals_unit_stays_enabled_under_its_names(upgraded: Root) -> None:
    unit = upgraded.inside("/usr/lib/systemd/system/drove.gateway.service").read_text()
    assert f"-f {ORIGINAL_CONFIG}" in unit
    for link in WANTED_BY, ALIAS:
        assert upgraded.inside(link).is_symlink()


def test_the_originals_configuration_outlives_a_second_upgrade_and_removal(
    upgraded: Root, rpm: Path
) -> None:
    for command in (("-U", "--replacepkgs", rpm), ("-e", "drove-gateway")):
        done("rpm", "--root", upgraded.path, "--nodeps", *command)
        assert upgraded.inside(ORIGINAL_CONFIG).read_text() == "# shipped\n# edited\n"
    assert not upgraded.inside("/usr/bin/nixy").exists()
