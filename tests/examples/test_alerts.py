"""The alert rules say what is wrong and what to do, and each has a case that fires it.

`tests/packaging/test_alerts.py` runs the cases with Prometheus's own tool.
"""

from collections import Counter
from pathlib import Path

import pytest
from tests.docs.pages import anchors
from tests.examples.queries import EXAMPLES, Rule, rules

ROOT = EXAMPLES.parent
INSTALLED = "file:///usr/share/doc/drove-gateway/"
CASES = Path(__file__).parent / "alerts.test.yml"


def cases() -> str:
    return CASES.read_text()


def test_every_alert_has_a_unique_name() -> None:
    assert [
        name for name, times in Counter(rule.alert for rule in rules()).items() if times > 1
    ] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert)
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    assert rule.labels.keys() == {"severity"}
    assert rule.labels["severity"] in {"critical", "warning"}
    assert rule.annotations.keys() == {"summary", "description", "action", "runbook_url"}
    sentences = [rule.annotations[key] for key in ("summary", "description", "action")]
    assert all(sentence.endswith(".") for sentence in sentences)
    page, _, anchor = rule.annotations["runbook_url"].partition("#")
    assert page.startswith(INSTALLED)
    assert anchor in anchors(ROOT / page.removeprefix(INSTALLED))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert)
def test_an_alert_has_a_case(rule: Rule) -> None:
    assert f'{{alertname="{rule.alert}"}}' in cases()
