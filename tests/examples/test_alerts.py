"""The alert rules say what is wrong and what to do, and Prometheus's own tool takes them."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from tests.examples.queries import EXAMPLES, Rule, rules

ROOT = EXAMPLES.parent
CASES = Path(__file__).parent / "alerts.test.yml"


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not here: apt-get install prometheus")
    return found


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def cases() -> str:
    return CASES.read_text()


def test_every_alert_has_a_name_of_its_own() -> None:
    assert [
        name for name, times in Counter(rule.alert for rule in rules()).items() if times > 1
    ] == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert)
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: Rule) -> None:
    assert rule.labels.keys() == {"severity"}
    assert rule.labels["severity"] in {"critical", "warning"}
    assert rule.annotations.keys() == {"summary", "description", "action", "runbook"}
    sentences = [rule.annotations[key] for key in ("summary", "description", "action")]
    assert all(one.endswith((".", "?")) for one in sentences)
    page, _, anchor = rule.annotations["runbook"].partition("#")
    assert anchor in anchors(ROOT / page)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.alert)
def test_an_alert_has_a_case(rule: Rule) -> None:
    assert f'{{alertname="{rule.alert}"}}' in cases()


def test_prometheus_takes_the_rules(promtool: str) -> None:
    said = subprocess.run(
        [promtool, "check", "rules", str(EXAMPLES / "alerts.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{len(rules())} rules found" in said.stdout


def test_each_alert_fires_when_it_should_and_none_while_all_is_well(promtool: str) -> None:
    assert msgspec.yaml.decode(cases())
    said = subprocess.run(
        [promtool, "test", "rules", str(CASES)], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
