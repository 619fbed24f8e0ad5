"""The bars of the chart: what half of the applies took, and what 99 of 100 took."""

import msgspec
from tests.admin.ui.test_pages import APPLIED

from drove_gateway.admin.ui.chart import bars
from drove_gateway.model.about import About
from drove_gateway.status.status import Status

STATUS = Status(About("1.0"), 0.0, {}, "lb1")


def test_without_an_apply_there_is_nothing_to_draw() -> None:
    assert bars(STATUS) == ()


def test_each_stage_has_a_bar_in_the_order_of_a_change() -> None:
    change = msgspec.structs.replace(APPLIED, noticed=0.5, fetched=0.1, waited=0.004)
    found = bars(msgspec.structs.replace(STATUS, history=(change,)))

    assert [bar.name for bar in found] == [
        *("noticed", "fetched", "planned", "render", "reload", "applied", "serving")
    ]
    assert [bar.median for bar in found] == [0.5, 0.1, 0.004, 0.002, 0.01, 0.012, 0.616]


def test_the_longest_bar_is_as_long_as_the_drawing_and_the_others_in_proportion() -> None:
    history = tuple(msgspec.structs.replace(APPLIED, took=took) for took in (0.1, 0.2, 0.4))
    found = {bar.name: bar for bar in bars(msgspec.structs.replace(STATUS, history=history))}

    assert (found["applied"].median_length, found["applied"].high_length) == (160, 320)
    assert found["reload"].high_length == 8
