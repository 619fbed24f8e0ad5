"""The refusal of a configuration quotes its lines, no secret of these, and nothing that varies."""

import sys
from pathlib import Path

import pytest

from drove_gateway.model.errors import CheckRefused, CommandFailed
from drove_gateway.proxies.installation.check import check
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refused_line import TemplateSource
from drove_gateway.proxies.installation.subprocess_runner import run_ok

TEXT = """global
    stats socket /run/x
userlist admins
    user jo insecure-password OPENSESAME gruops g
"""
QUOTES_THE_LINE = """
import sys
print(f"[ALERT] parsing [{sys.argv[1]}:4] : 'user': unknown keywords 'OPENSESAME', 'gruops'")
sys.exit(1)
"""


async def refusal(directory: Path, program: str) -> CheckRefused:
    """The refusal of `TEXT` by a proxy whose check is this Python program."""
    file = directory / "proxy.cfg"
    file.write_text(TEXT)
    platform = Platform(
        name="the proxy",
        config=file,
        check=lambda path: (sys.executable, "-c", program, str(path)),
        reload=None,
    )
    source = TemplateSource("proxy.tmpl", TEXT, ("{{", "}}"))
    with pytest.raises(CheckRefused) as refused:
        await check(platform, file, TEXT, source, timeout=5)
    return refused.value


async def test_a_refusal_names_the_line_without_its_secret(tmp_path: Path) -> None:
    refused = await refusal(tmp_path, QUOTES_THE_LINE)

    message = f"{refused} {refused.output}"
    assert "at line 4 (user jo insecure-password *** gruops g, from line 4" in message
    assert "'gruops'" in message
    assert "OPENSESAME" not in message


async def test_the_error_of_a_command_shows_no_credentials_of_it() -> None:
    reload_command = ("false", "-u", "jo:OPENSESAME", "http://h/reload?token=OPENSESAME")

    with pytest.raises(CommandFailed) as failed:
        await run_ok(reload_command, timeout=5)

    assert "`false -u jo:*** http://h/reload?token=***`" in str(failed.value)


@pytest.mark.parametrize(
    "printed",
    [
        "2026/11/27 22:50:15 [emerg] {0}#{0}: unknown directive in {1}:4",
        "[ALERT]    ({0}) : config : [{1}:4] : unknown keyword",
    ],
)
async def test_a_refusal_is_the_same_at_every_check(tmp_path: Path, printed: str) -> None:
    program = f"import os, sys; print({printed!r}.format(os.getpid(), sys.argv[1])); sys.exit(1)"
    refusals = [str(await refusal(tmp_path, program)) for _ in range(2)]

    assert refusals[0] == refusals[1]
    assert "unknown" in refusals[0]


@pytest.mark.parametrize(
    ("warning", "error"),
    [
        ("[WARNING]  (1) : config : parsing [{0}:2] : old", "[ALERT]  (1) : parsing [{0}:4] : bad"),
        ("[warn] 1#1: old directive in {0}:2", '[emerg] 1#1: unknown directive "x" in {0}:4'),
    ],
)
async def test_a_refusal_names_the_line_of_the_error_and_not_of_a_warning_before_it(
    tmp_path: Path, warning: str, error: str
) -> None:
    program = f"import sys; print(({warning!r} + chr(10) + {error!r}).format(sys.argv[1])); exit(1)"

    refused = await refusal(tmp_path, program)

    assert refused.line == 4
    assert "at line 4 (user jo" in str(refused)
    assert "old" not in str(refused)
