"""What this program is: version, commit and date, as `-v` and `GET /` print them."""

from importlib import metadata

import msgspec


class About(msgspec.Struct, frozen=True):
    """The build. Commit and date are stamped by a release build, else "unknown"."""

    version: str
    commit: str = "unknown"
    date: str = "unknown"

    def lines(self) -> str:
        """As the original prints them, a line each."""
        return f"version: {self.version}\ncommit: {self.commit}\ndate: {self.date}\n"


def about() -> About:
    """What is installed."""
    return About(version=metadata.version("drove-gateway"))
