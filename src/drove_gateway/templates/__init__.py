"""The templates that ship with the package, ready for production use."""

from importlib import resources

NAMES = (
    "haproxy",
    "haproxy-header-routing",
    "nginx",
    "nginx-header-routing",
    "nginx-lua",
    "nginx-lua-header-routing",
    "nginx-plus",
)


def shipped(name: str) -> str:
    """The text of a shipped template, one of `NAMES`."""
    return resources.files(__name__).joinpath(f"{name}.tmpl").read_text("utf-8")
