"""Responses of three real controllers (Drove v1.33.3), as they were recorded."""

import json
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).with_name("recorded")


def recording(name: str) -> Any:
    """The content of a recorded file."""
    return json.loads((DIRECTORY / f"{name}.json").read_text())
