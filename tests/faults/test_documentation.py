"""Every fault of the operations page names a test that exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "operations.md"


def test_each_fault_names_its_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    faults = [row for row in rows if row.count("|") == 6 and not row.startswith("| Fault")]

    assert len(faults) > 20
    for row in faults:
        named = re.search(r"`(tests/\S+\.py)::(test_\w+)` \|$", row)
        assert named is not None, row
        assert f"def {named.group(2)}(" in (ROOT / named.group(1)).read_text(), row


def test_the_random_faults_test_that_the_page_names_is_there() -> None:
    for path in re.findall(r"`(tests/\S+\.py)`", PAGE.read_text()):
        assert (ROOT / path).exists()
