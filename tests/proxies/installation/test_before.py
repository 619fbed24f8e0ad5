"""The file that was there before the gateway is kept once, and never overwritten."""

from pathlib import Path

import pytest
from tests.proxies.installation.refused_vhosts import Rig, topology

from drove_gateway.model.errors import ProxyError
from drove_gateway.proxies.installation.before import copy_of, is_own, keep, should_be_kept
from drove_gateway.proxies.installation.template_data import UNKNOWN_GENERATION

OPERATORS = "# hand-made\nvhost a 10.0.0.1\n"
MARKED = (
    "{{range .Apps}}vhost {{.Vhost}}{{range .Hosts}} {{.Host}}{{end}}\n{{end}}# {{.Generation}}\n"
)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_the_first_install_keeps_the_operators_file_and_announces_it(rig: Rig) -> None:
    rig.config.write_text(OPERATORS)
    rig.config.chmod(0o640)

    await rig.installation.install(topology(a="10.0.0.2"))

    copy = rig.config.with_name(".proxy.conf.before-drove-gateway")
    assert copy.read_text() == OPERATORS
    assert copy.stat().st_mode & 0o777 == 0o640
    assert rig.installation.notes() == (f"the file before drove-gateway is kept as {copy}",)
    assert rig.copies == [copy]


async def test_later_installs_and_runs_never_overwrite_the_copy(tmp_path: Path) -> None:
    first = Rig(tmp_path)
    first.config.write_text(OPERATORS)
    await first.installation.install(topology(a="10.0.0.2"))
    await first.installation.install(topology(a="10.0.0.3"))
    first.config.write_text("# again\n")

    await Rig(tmp_path).installation.install(topology(a="10.0.0.4"))

    assert copy_of(first.config).read_text() == OPERATORS


async def test_a_file_of_the_gateway_itself_is_not_kept(tmp_path: Path) -> None:
    first = Rig(tmp_path)
    first.template.write_text(MARKED)
    await first.installation.install(topology(a="10.0.0.2"))
    assert is_own(first.config.read_text())
    later = Rig(tmp_path)
    later.template.write_text(MARKED)

    await later.installation.install(topology(a="10.0.0.3"))

    assert not copy_of(first.config).exists()
    assert later.installation.notes() == ()


async def test_nothing_is_kept_where_nothing_was(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.2"))

    assert not copy_of(rig.config).exists()
    assert rig.copies == []


async def test_a_refused_configuration_keeps_nothing(rig: Rig) -> None:
    rig.config.write_text(OPERATORS)

    with pytest.raises(ProxyError):
        await rig.installation.install(topology(a="bad"))

    assert not copy_of(rig.config).exists()


def test_a_changed_file_of_the_gateway_counts_as_the_operators(tmp_path: Path) -> None:
    config = tmp_path / "proxy.conf"
    assert should_be_kept(config, f"# {UNKNOWN_GENERATION}\n")
    assert not should_be_kept(config, "")
    assert not should_be_kept(config, None)


def test_a_copy_that_cannot_be_written_stops_the_change(tmp_path: Path) -> None:
    config = tmp_path / "missing" / "proxy.conf"

    with pytest.raises(ProxyError, match="stays as it is"):
        keep(config, OPERATORS)
