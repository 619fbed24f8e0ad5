"""Arbitrary templates: only the two errors, and the same result from both halves of the engine.

    python -m tests.gotemplate.fuzz --seconds 600

Three kinds of templates: written along the grammar, damaged ones, and soups of tokens.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping
from random import Random

from tests.gotemplate.differential.templates import plain_template, typed_template
from tests.gotemplate.sample import (
    THING,
    load,
    outcome,
    render,
    render_interpreted,
    typed_context,
)

from drove_gateway.model.vocabulary import Topology

MAX_STEPS = 20_000

TOKENS = [
    *("{{", "}}", "{{- ", " -}}", "{{/*", "*/}}", "(", ")", "|", ",", ":=", "=", ".", "$", " "),
    *("if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"),
    *("nil", "true", "false", "1", "-1", "0x1p4", "1.5e3", "1i", "'a'", "'\\n'", '"a"', '"%d"'),
    *("`raw`", '"', "`", "'", "\\", ".Name", ".L", ".Deep.A", ".Missing.X", "$x", "$y", "$x.Y"),
    *("and", "or", "not", "eq", "lt", "len", "index", "slice", "print", "printf", "html", "call"),
    *("split", "replace", "hostport", "add", "fail", "text", "\n", "\t", "é", "日", "\udcff", "\0"),
    *("{{if .T}}", "{{else}}", "{{end}}", "{{range .L}}", '{{define "x"}}', '{{template "x" .}}'),
]

# Where a function lies in memory, and what time it is, differ between runs.
_FLEETING = re.compile("0x[0-9a-f]{6,}|datetime")


def soup(random: Random) -> str:
    return "".join(random.choices(TOKENS, k=random.randint(1, 25)))


def damaged(random: Random, template: str) -> str:
    """A template with a few pieces cut out, doubled, or put in."""
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(template))
        end = min(len(template), start + random.randint(0, 6))
        piece = random.choice(["", template[start:end] * 2, random.choice(TOKENS)])
        template = template[:start] + piece + template[end:]
    return template


def written(random: Random, data: str) -> str:
    """A template along the grammar, or a template of the cases."""
    if random.random() < 0.2:
        return str(random.choice(KNOWN))
    write = typed_template if data == "topology" else plain_template
    return write(random.randint)


KNOWN = [
    case["template"] for name in ("json.json", "language.json") for case in load(name)["cases"]
]


def sample_data() -> Mapping[str, object]:
    context = typed_context()
    plain = load("json.json")["data"]
    return {
        "map": plain["m"],
        "apps": plain["apps"],
        "topology": Topology(apps=context.apps, namespaces=context.namespaces),
        "context": context,
        "thing": THING,
        "nil": None,
    }


def check(template: str, data: object) -> str:
    """Renders in both ways; says what came of it. Raises `AssertionError` on a difference."""
    case = {"template": template}
    whole = outcome(lambda: render(case, data, MAX_STEPS))
    exact = outcome(lambda: render_interpreted(case, data, MAX_STEPS))
    if "exceeded maximum" in str([whole, exact]):
        return "limit"
    if not _FLEETING.search(template + str(exact)):
        assert whole == exact, f"interpreted {exact!r}, compiled {whole!r}"
    return exact.get("error", "rendered")


def case(random: Random, data: Mapping[str, object]) -> tuple[str, str]:
    """A template, and the name of the data that it is to be rendered with."""
    name = random.choice(list(data))
    kind = random.random()
    if kind < 0.3:
        return soup(random), name
    template = written(random, name)
    return (damaged(random, template) if kind < 0.7 else template), name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="where to start (default: random)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else Random().randrange(2**32)
    data, counts = sample_data(), Counter[str]()
    deadline = time.monotonic() + options.seconds
    while time.monotonic() < deadline:
        template, name = case(Random(seed), data)
        try:
            counts[check(template, data[name])] += 1
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            print(f"--seed {seed}, data {name}: {template!r}\n{type(error).__name__}: {error}")
            return 1
        seed += 1
    print(f"{counts.total()} templates: {dict(counts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
