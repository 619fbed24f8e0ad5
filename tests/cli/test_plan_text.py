"""A plan in lines: in the order in which it is carried out, with reasons, cut short by counts."""

from drove_gateway.cli.plan_text import lines
from drove_gateway.model.plan import Plan, Step
from drove_gateway.model.vocabulary import EMPTY
from drove_gateway.proxies.installation.preview import Preview


def text(preview: Preview, *, everything: bool = False) -> list[str]:
    return list(lines(preview, "HAProxy", everything=everything))[1:]


def adding(count: int) -> tuple[Step, ...]:
    return tuple(Step("add server", f"web/s{number}", "wanted") for number in range(count))


def test_plan_without_changes_shows_the_notes() -> None:
    assert text(Preview(Plan(EMPTY), ("it serves generation x already",))) == [
        "  keep HAProxy as it is",
        "  note: it serves generation x already",
    ]


def test_plan_says_if_not_everything_could_be_read() -> None:
    assert text(Preview(Plan(EMPTY), ("no permission",), complete=False)) == [
        "  more may differ, because not everything could be read",
        "  note: no permission",
    ]


def test_steps_come_by_kind_and_then_the_reload_with_its_reasons() -> None:
    servers = (*adding(2), Step("drain server", "old-name/s", "not wanted any more"))
    assert text(Preview(Plan(EMPTY, ("vhost a added",), servers))) == [
        "  add server (2)",
        "    web/s0  wanted",
        "    web/s1  wanted",
        "  drain server",
        "    old-name/s  not wanted any more",
        "  reload HAProxy, because",
        "    vhost a added",
    ]


def test_long_plan_is_shortened_unless_all_is_requested() -> None:
    preview = Preview(Plan(EMPTY, (), adding(1000)))
    short = text(preview)
    assert short[0] == "  add server (1000)"
    assert len(short) == 12
    assert short[-1] == "    and 990 more (--all shows them)"
    assert len(text(preview, everything=True)) == 1001
