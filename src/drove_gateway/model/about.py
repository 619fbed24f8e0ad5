"""What this program is: version, commit and date, as `-v` and `GET /` print them."""

from importlib import metadata, resources

import msgspec


class About(msgspec.Struct, frozen=True):
    """The build. Commit and date are stamped when a package is built, else "unknown"."""

    version: str
    commit: str = "unknown"
    date: str = "unknown"

    def lines(self) -> str:
        """As the original prints them, a line each."""
        return f"version: {self.version}\ncommit: {self.commit}\ndate: {self.date}\n"


def about() -> About:
    """What is installed."""
    stamp = resources.files("drove_gateway").joinpath("build.json")
    return described(
        metadata.version("drove-gateway"), stamp.read_bytes() if stamp.is_file() else b"{}"
    )


def described(version: str, stamp: bytes) -> About:
    """A version with the stamp that `packaging/stamp.py` put into the package: JSON."""
    return msgspec.structs.replace(
        About(version), **msgspec.json.decode(stamp, type=dict[str, str])
    )
