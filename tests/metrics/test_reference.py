"""The reference of the metrics is generated, complete and up to date."""

from pathlib import Path

from click.testing import CliRunner
from tools.reference.metrics import main, page

from drove_gateway.metrics.catalog import DECLARED

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def test_reference_is_up_to_date() -> None:
    stale = "run: python -m tools.reference.metrics --write"
    assert REFERENCE.read_text() == page(), stale


def test_the_reference_has_every_metric() -> None:
    assert [each.shown for each in DECLARED if f"`{each.shown}`" not in page()] == []


def test_a_stale_reference_is_found_and_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "metrics.md"
    run = CliRunner().invoke

    assert run(main, ["--check", str(tmp_path)]).exit_code == 1
    assert run(main, ["--write", str(tmp_path)]).exit_code == 0
    assert run(main, ["--check", str(tmp_path)]).exit_code == 0
    assert path.read_text() == page()
