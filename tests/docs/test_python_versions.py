"""The pinned packages run with the oldest Python that the project promises."""

from importlib.metadata import distributions

from packaging.specifiers import SpecifierSet
from tests.docs.pages import ROOT

# That of Debian 12, which is older than what some releases accept as 3.11.
OLDEST = "3.11.2"
CONSTRAINTS = ROOT / "constraints.txt"


def pins() -> dict[str, str]:
    """Return the pinned version of each package, by its name in lower case."""
    lines = (line.partition("==") for line in CONSTRAINTS.read_text().splitlines())
    return {name.lower().replace("_", "-"): version for name, _, version in lines}


def test_every_pinned_package_accepts_the_python_of_debian_12() -> None:
    pinned, refusing, compared = pins(), [], 0
    for each in distributions():
        name = each.name.lower().replace("_", "-")
        if pinned.get(name) == each.version:
            compared += 1
            accepted = SpecifierSet(",".join(each.metadata.get_all("Requires-Python") or ()))
            if OLDEST not in accepted:
                refusing.append(f"{name} {each.version} requires Python {accepted}")
    assert compared > 50
    assert refusing == []
