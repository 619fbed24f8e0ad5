"""Stamp a build with its commit and date: `drove_gateway/build.json` in wheel and sdist.

Nothing is written to the source tree. A build from an sdist keeps the stamp of that sdist.
"""

import json
import os
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_STAMP = "src/drove_gateway/build.json"


class Stamp(BuildHookInterface):
    """Custom build hook of Hatchling."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the stamp, except for an editable install, whose source can change."""
        root = Path(self.root)
        if version == "editable" or (root / _STAMP).exists():
            return
        inside = _STAMP if self.target_name == "sdist" else _STAMP.removeprefix("src/")
        self._made = tempfile.TemporaryDirectory()
        file = Path(self._made.name, "build.json")
        file.write_text(json.dumps(stamp(root)) + "\n")
        build_data["force_include"][str(file)] = inside


def stamp(root: Path) -> dict[str, str]:
    """Return commit and date of the source tree; unknown values are omitted.

    The date is SOURCE_DATE_EPOCH or the date of the commit, in UTC.
    """
    commit = _git(root, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=-modified")
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _git(root, "log", "-1", "--format=%ct")
    known = {"commit": commit}
    if seconds:
        known["date"] = datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {key: value for key, value in known.items() if value}


def _git(root: Path, *arguments: str) -> str:
    """Return git's output, or "" if git is missing or `root` is not a repository."""
    if not (root / ".git").exists():
        return ""
    try:
        result = subprocess.run(
            ("git", *arguments), cwd=root, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
