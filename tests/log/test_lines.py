"""Log lines: real logfmt or JSON, one line each, whatever is in them."""

import io
import json

import pytest

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.lines import logger


def lines(log_format: str, **fields: object) -> list[str]:
    stream = io.StringIO()
    logger("info", stream, log_format=log_format).write(LogEvent.APPLIED, **fields)
    return stream.getvalue().splitlines()


def test_a_list_shows_its_first_items_and_counts_the_rest() -> None:
    [line] = lines("logfmt", vhosts=[f"{letter}.local" for letter in "abcdefghijkl"])

    assert line.endswith(
        'msg=applied vhosts="a.local,b.local,c.local,d.local,e.local,f.local,g.local,h.local,'
        'and 4 more"'
    )


def test_a_mapping_becomes_a_field_for_each_of_its_keys() -> None:
    [line] = lines("logfmt", stages={"render_ms": 2.1, "check_ms": 12.0})

    assert "stages_render_ms=2.1 stages_check_ms=12.0" in line


def test_pairs_are_named_with_their_reason() -> None:
    [line] = lines("logfmt", failed=[("a.local", "no address"), ("b.local", "refused")])

    assert 'failed="a.local: no address,b.local: refused"' in line


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_a_log_takes_secrets_out_of_every_text(log_format: str) -> None:
    stream = io.StringIO()
    log = logger("info", stream, log_format=log_format).hiding(
        lambda text: text.replace("OPENSESAME", "…")
    )
    log.bind(vhost="OPENSESAME.local").write(
        LogEvent.APPLIED,
        error="said OPENSESAME",
        failed=(("a.local", "refused OPENSESAME"),),
        stages={"render": "OPENSESAME"},
        count=1,
    )

    assert "OPENSESAME" not in stream.getvalue()
    assert "refused …" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
@pytest.mark.parametrize(
    "foreign", ["two\nlines level=error", "\x1b[31mred", "carriage\rreturn", 'quo"te\\', "\u2028"]
)
def test_foreign_text_stays_in_its_line(log_format: str, foreign: str) -> None:
    [line] = lines(log_format, error=foreign, listed=[foreign])

    assert line.isprintable()


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_a_line_is_bounded(log_format: str) -> None:
    [line] = lines(log_format, error="x" * 100_000, listed=["y" * 10_000] * 1000)

    assert len(line) < 300_000 if log_format == "json" else len(line) < 5_000


def test_json_lines_have_the_same_keys_in_the_same_order() -> None:
    [line] = lines("json", took_ms=1.5, vhosts=("a.local",), reloaded=False, error=None)

    fields = json.loads(line)
    assert list(fields)[:4] == ["time", "level", "event", "msg"]
    assert fields["took_ms"] == 1.5
    assert fields["vhosts"] == ["a.local"]
    assert fields["reloaded"] is False
    assert fields["error"] is None


def test_a_truth_value_is_written_out_in_logfmt() -> None:
    [line] = lines("logfmt", reloaded=True)

    assert line.endswith(" reloaded=true")
