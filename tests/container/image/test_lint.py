"""The Dockerfile under its linter."""

import subprocess
from pathlib import Path

from tests.container.dockerfile import FILE


def test_hadolint_finds_nothing(hadolint: Path) -> None:
    done = subprocess.run((hadolint, FILE), capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0
