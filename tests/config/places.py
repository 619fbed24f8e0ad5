"""Messages without the lines that they name, for tests of what they say."""

import re


def without_line(message: str) -> str:
    """`nixy.toml:7: port: …` as `nixy.toml: port: …`."""
    return re.sub(r"^([^\s:]+\.toml):\d+: ", r"\1: ", message)
