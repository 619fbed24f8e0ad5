"""Which proxy is installed."""

from pathlib import Path

import pytest

from drove_gateway.proxies.installation.version import (
    Version,
    at_least,
    installed_version,
    parse_version,
)


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        pytest.param("nginx version: nginx/1.27.4", (1, 27, 4), id="NGINX"),
        pytest.param("nginx version: openresty/1.25.3.1", (1, 25, 3, 1), id="OpenResty"),
        pytest.param("nginx version: nginx/1.25.5 (nginx-plus-r32)", (1, 25, 5), id="NGINX Plus"),
        pytest.param(
            "HAProxy version 2.8.25-1 2025/11/01 - https://haproxy.org/", (2, 8, 25), id="HAProxy"
        ),
        pytest.param("HAProxy version 3.0.11-1+deb13u1", (3, 0, 11), id="Debian's"),
        pytest.param("usage: false", None, id="something else"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_version_is_read_from_what_the_proxy_prints(
    printed: str, version: Version | None
) -> None:
    assert parse_version(printed) == version


@pytest.mark.parametrize(
    ("version", "wanted", "enough"),
    [
        ((1, 27, 4), "1.27.4", True),
        ((1, 27, 5), "1.27.4", True),
        ((1, 27, 3), "1.27.4", False),
        ((1, 9, 15), "1.27.4", False),
        ((2,), "1.27.4", True),
        ((1, 27, 4), "1.27", True),
        ((3, 0, 11), "3", True),
        (None, "1.0", False),
    ],
)
def test_versions_are_compared_by_their_numbers(
    version: Version | None, wanted: str, *, enough: bool
) -> None:
    assert at_least(version, wanted) is enough


@pytest.mark.parametrize("wanted", ["", "latest", "1.", "1.27.4-r2"])
def test_a_malformed_version_is_an_error(wanted: str) -> None:
    with pytest.raises(ValueError, match="write it like"):
        at_least((1, 27, 4), wanted)


async def test_the_real_proxies_print_their_versions(nginx: Path, haproxy: Path) -> None:
    assert at_least(await installed_version((str(nginx),), timeout=20), "1.20")
    assert at_least(await installed_version((str(haproxy),), timeout=20), "2.4")


@pytest.mark.parametrize("command", [("no-such-proxy",), ("false",), ("sleep", "60")])
async def test_a_proxy_that_prints_no_version_has_none(command: tuple[str, ...]) -> None:
    assert await installed_version(command, timeout=0.3) is None
