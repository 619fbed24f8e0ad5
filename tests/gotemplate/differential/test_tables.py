"""What the tables of the other tests expect is what Go prints."""

from collections.abc import Sequence

from tests.gotemplate import test_escape, test_format, test_gateway_functions, test_gotime
from tests.gotemplate.differential.reference import Reference
from tests.gotemplate.differential.words import without_package

from drove_gateway.gotemplate.go.format import text

IST = ("IST", 19_800)
UTC = ("", 0)


def arguments(count: int) -> str:
    return "".join(f" (index .args {at})" for at in range(count))


def test_formats(reference: Reference) -> None:
    tables = [test_format.INTEGERS, test_format.FLOATS, test_format.STRINGS, test_format.OTHERS]
    cases = [(form, [value], want) for table in tables for form, value, want in table]
    for form, args, want in [*cases, *test_format.FORMATS]:
        template = "{{printf .form" + arguments(len(args)) + "}}"
        answer = reference.ask(template, {"form": form, "args": list(args)})
        assert without_package(answer.output) == want, form


def test_time_layouts(reference: Reference) -> None:
    for layout, want, want_early in test_gotime.LAYOUTS:
        now, early = (test_gotime.MOMENT, *IST), (test_gotime.EARLY, *UTC)
        assert reference.ask("{{datetime.Format .}}", layout, now=now).output == want
        assert reference.ask("{{datetime.Format .}}", layout, now=early).output == want_early


def test_durations(reference: Reference) -> None:
    for nanoseconds, want in test_gotime.DURATIONS:
        if nanoseconds != -(2**63):  # a literal that Go's templates cannot write
            template = f"{{{{(datetime.Add {nanoseconds}).Sub datetime}}}}"
            assert reference.ask(template).output == want


def test_escapes(reference: Reference) -> None:
    tables = {"html": test_escape.HTML, "js": test_escape.JS, "urlquery": test_escape.URLQUERY}
    for name, table in tables.items():
        for given, want in table:
            assert reference.ask(f"{{{{{name} .}}}}", given).output == want


def test_the_gateways_functions(reference: Reference) -> None:
    for name, args, want in test_gateway_functions.CALLS:
        answer = reference.ask(call(name, args), {"args": list(args)})
        assert answer.output == text(want), (name, args)


def call(name: str, args: Sequence[object]) -> str:
    """A call with the arguments taken from the data, except for those that must be typed."""
    rest = arguments(len(args))
    if name == "replace":
        rest = arguments(3) + f" {args[3]}"
    return f'{{{{printf "%v" ({name}{rest})}}}}'
