"""Go's fmt: every expected text was printed by Go 1.26."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.gotemplate.go.format import sprint, sprintf, sprintln, text
from drove_gateway.gotemplate.go.values import StringMap
from drove_gateway.model.vocabulary import Host

HOST = Host(host="10.0.0.1", port=80, port_type="http")

INTEGERS: list[tuple[str, object, str]] = [
    ("%d", 42, "42"),
    ("%v", -42, "-42"),
    ("%5d|", 42, "   42|"),
    ("%-5d|", 42, "42   |"),
    ("%05d", 42, "00042"),
    ("%05d", -42, "-0042"),
    ("%-05d|", 42, "42   |"),
    ("%+d", 42, "+42"),
    ("% d", 42, " 42"),
    ("%+05d", 42, "+0042"),
    ("%.4d", 42, "0042"),
    ("%8.4d", -42, "   -0042"),
    ("%08.4d", 42, "    0042"),
    ("%.0d", 0, ""),
    ("%5.0d|", 0, "     |"),
    ("%b", 5, "101"),
    ("%#b", 5, "0b101"),
    ("%o", 8, "10"),
    ("%#o", 8, "010"),
    ("%O", 8, "0o10"),
    ("%x", 255, "ff"),
    ("%X", 255, "FF"),
    ("%#x", 255, "0xff"),
    ("%#X", -255, "-0XFF"),
    ("%#08x", 255, "0x000000ff"),
    ("%c", 65, "A"),
    ("%c", 0x65E5, "日"),
    ("%3c|", 65, "  A|"),
    ("%c", -1, "\ufffd"),
    ("%c", 0xD800, "\ufffd"),
    ("%q", 65, "'A'"),
    ("%q", 10, "'\\n'"),
    ("%q", 39, "'\\''"),
    ("%+q", 0x65E5, "'\\u65e5'"),
    ("%U", 0x65E5, "U+65E5"),
    ("%#U", 0x65E5, "U+65E5 '日'"),
    ("%#.6U", 10, "U+00000A"),
    ("%U", -1, "U+FFFFFFFFFFFFFFFF"),
    ("%e", 1, "%!e(int=1)"),
    ("%s", 1, "%!s(int=1)"),
    ("%t", 1, "%!t(int=1)"),
    ("%5z", 1, "%!z(int=    1)"),
]

FLOATS: list[tuple[str, object, str]] = [
    ("%v", 1.0, "1"),
    ("%v", 0.1, "0.1"),
    ("%v", 100000.0, "100000"),
    ("%v", 999999.0, "999999"),
    ("%v", 1000000.0, "1e+06"),
    ("%v", 123456789.0, "1.23456789e+08"),
    ("%v", 1e20, "1e+20"),
    ("%v", 1e21, "1e+21"),
    ("%v", 0.0001, "0.0001"),
    ("%v", 0.00001, "1e-05"),
    ("%v", -0.0, "-0"),
    ("%v", 5e-324, "5e-324"),
    ("%v", math.inf, "+Inf"),
    ("%v", -math.inf, "-Inf"),
    ("%v", math.nan, "NaN"),
    ("%+v", math.nan, "NaN"),
    ("%+f", math.nan, "+NaN"),
    ("%05f", math.inf, " +Inf"),
    ("% f", math.inf, " Inf"),
    ("%f", 3.14159, "3.141590"),
    ("%F", 3.14159, "3.141590"),
    ("%.2f", 3.14159, "3.14"),
    ("%8.2f|", 3.14159, "    3.14|"),
    ("%-8.2f|", 3.14159, "3.14    |"),
    ("%08.2f", -3.14159, "-0003.14"),
    ("%+.1f", 2.25, "+2.2"),
    ("% .1f", 2.35, " 2.4"),
    ("%.0f", 2.5, "2"),
    ("%#.0f", 2.5, "2."),
    ("%e", 123456.0, "1.234560e+05"),
    ("%E", 0.00012, "1.200000E-04"),
    ("%.3e", 123456.0, "1.235e+05"),
    ("%g", 1e6, "1e+06"),
    ("%G", 1e-7, "1E-07"),
    ("%.3g", 123456.0, "1.23e+05"),
    ("%.10g", 123456.0, "123456"),
    ("%#g", 1.0, "1.00000"),
    ("%#.3g", 1e6, "1.00e+06"),
    ("%#g", 0.0, "0.00000"),
    ("%b", 1.5, "6755399441055744p-52"),
    ("%x", 1.5, "0x1.8p+00"),
    ("%X", -0.1, "-0X1.999999999999AP-04"),
    ("%.2x", 3.999, "0x1.00p+02"),
    ("%.0x", 1.5, "0x1p+01"),
    ("%x", 5e-324, "0x1p-1074"),
    ("%x", 0.0, "0x0p+00"),
    ("%#x", 1.5, "0x1.8000p+00"),
    ("%d", 1.5, "%!d(float64=1.5)"),
    ("%v", 1 + 2j, "(1+2i)"),
    ("%.1f", -1.25j, "(-0.0-1.2i)"),
    ("%6.2f", 1 + 2j, "(  1.00 +2.00i)"),
    ("%d", 1j, "%!d(complex128=(0+1i))"),
]

STRINGS: list[tuple[str, object, str]] = [
    ("%s", "abc", "abc"),
    ("%v", "abc", "abc"),
    ("%5s|", "abc", "  abc|"),
    ("%-5s|", "abc", "abc  |"),
    ("%05s", "abc", "00abc"),
    ("%.2s", "abc", "ab"),
    ("%.2s", "日本語", "日本"),
    ("%5.1s|", "日本語", "    日|"),
    ("%q", "abc", '"abc"'),
    ("%q", 'a"b\\c', '"a\\"b\\\\c"'),
    ("%q", "\a\b\f\n\r\t\v\x00\x7f", '"\\a\\b\\f\\n\\r\\t\\v\\x00\\x7f"'),
    ("%q", "é日\u00ad\u2028", '"é日\\u00ad\\u2028"'),
    ("%q", "\U0001f600\U000e0001", '"\U0001f600\\U000e0001"'),
    ("%q", "a\udcff", '"a\\xff"'),
    ("%+q", "é😀", '"\\u00e9\\U0001f600"'),
    ("%#q", "a\tb", "`a\tb`"),
    ("%#q", "a`b", '"a`b"'),
    ("%#q", "a\nb", '"a\\nb"'),
    ("%8q|", "ab", '    "ab"|'),
    ("%#v", "a", '"a"'),
    ("%x", "hello", "68656c6c6f"),
    ("%X", "hé", "68C3A9"),
    ("% x", "abc", "61 62 63"),
    ("%# x", "abc", "0x61 0x62 0x63"),
    ("%#X", "abc", "0X616263"),
    ("%.2x", "abc", "6162"),
    ("%8x|", "ab", "    6162|"),
    ("%-8x|", "ab", "6162    |"),
    ("%3x|", "", "   |"),
    ("%d", "x", "%!d(string=x)"),
    ("%t", "x", "%!t(string=x)"),
    ("%T", "x", "string"),
    ("%p", "x", "%!p(string=x)"),
]

OTHERS: list[tuple[str, object, str]] = [
    ("%t", True, "true"),
    ("%7t|", False, "  false|"),
    ("%d", True, "%!d(bool=true)"),
    ("%v", None, "<nil>"),
    ("%8v|", None, "   <nil>|"),
    ("%T", None, "<nil>"),
    ("%d", None, "%!d(<nil>)"),
    ("%s", None, "%!s(<nil>)"),
    ("%v", [], "[]"),
    ("%v", [1, "a", None, 2.5, True], "[1 a <nil> 2.5 true]"),
    ("%d", [1, "a", None], "[1 %!d(string=a) <nil>]"),
    ("%q", ["a", "b c"], '["a" "b c"]'),
    ("%x", ["ab", 255], "[6162 ff]"),
    ("%3d|", [1, 2], "[  1   2]|"),
    ("%#v", [1, "a", None, 2.5], '[]interface {}{1, "a", interface {}(nil), 2.5}'),
    ("%T", [1], "[]interface {}"),
    ("%v", {}, "map[]"),
    ("%v", {"b": 1, "a": [None], "Z": {"x": ""}}, "map[Z:map[x:] a:[<nil>] b:1]"),
    ("%s", {"a": 1}, "map[a:%!s(int=1)]"),
    ("%d", {"a": 1}, "map[%!d(string=a):1]"),
    ("%#v", {"b": 1, "a": {}}, 'map[string]interface {}{"a":map[string]interface {}{}, "b":1}'),
    ("%T", {}, "map[string]interface {}"),
    ("%T", StringMap(), "map[string]string"),
    ("%#v", StringMap(a="b"), 'map[string]string{"a":"b"}'),
    ("%v", HOST, "{10.0.0.1 80 http}"),
    ("%+v", HOST, "{Host:10.0.0.1 Port:80 PortType:http}"),
    ("%#v", HOST, 'Host{Host:"10.0.0.1", Port:80, PortType:"http"}'),
    ("%+v", [HOST], "[{Host:10.0.0.1 Port:80 PortType:http}]"),
    ("%d", HOST, "{%!d(string=10.0.0.1) 80 %!d(string=http)}"),
    ("%w", HOST, "%!w(Host={10.0.0.1 80 http})"),
    ("%.3v", [1.23456, "abcdef"], "[1.23 abc]"),
    ("%6.2f|", [1.0, 2.5], "[  1.00   2.50]|"),
]

FORMATS: list[tuple[str, tuple[object, ...], str]] = [
    ("plain", (), "plain"),
    ("100%%", (), "100%"),
    ("%5%|", (), "%|"),
    ("%", (), "%!(NOVERB)"),
    ("a%", (1,), "a%!(NOVERB)%!(EXTRA int=1)"),
    ("%!", (), "%!!(MISSING)"),
    ("%s", (), "%!s(MISSING)"),
    ("%d %s", (1,), "1 %!s(MISSING)"),
    ("a", (1,), "a%!(EXTRA int=1)"),
    ("a", (None, "x", [1]), "a%!(EXTRA <nil>, string=x, []interface {}=[1])"),
    ("%[2]d %[1]d", (1, 2), "2 1"),
    ("%[1]d %d %[1]q", (65, 66), "65 66 'A'"),
    ("%[3]d", (1, 2), "%!d(BADINDEX)"),
    ("%[0]d", (1,), "%!d(BADINDEX)"),
    ("%[-1]d", (1,), "%!d(BADINDEX)"),
    ("%[x]d", (1,), "%!d(BADINDEX)"),
    ("%[1]", (1,), "%!(NOVERB)"),
    ("%[]d", (1,), "%!d(BADINDEX)"),
    ("%[", (1,), "%!(NOVERB)"),
    ("%[2]5d", (1, 2), "%!d(BADINDEX)"),
    ("%[1].2d", (1, 2), "%!d(BADINDEX)"),
    ("%*d", (5, 42), "   42"),
    ("%-*d|", (5, 42), "42   |"),
    ("%*d|", (-5, 42), "42   |"),
    ("%0*d", (5, 42), "00042"),
    ("%*d", ("a", 42), "%!(BADWIDTH)42"),
    ("%*d", (10_000_000, 42), "%!(BADWIDTH)42"),
    ("%*d", (), "%!(BADWIDTH)%!d(MISSING)"),
    ("%.*f", (2, 3.14159), "3.14"),
    ("%.*f", (-1, 3.5), "%!(BADPREC)3.500000"),
    ("%.*f", (True, 3.5), "%!(BADPREC)3.500000"),
    ("%[2]*[1]d", (42, 5), "   42"),
    ("%[3]*.[2]*[1]f", (12.0, 2, 6), " 12.00"),
    ("%6.2f", (12.0,), " 12.00"),
    ("%.f", (2.5,), "2"),
    ("%.", (3,), "%!.(int=3)"),
    ("%99999999d", (1,), "%!(NOVERB)%!(EXTRA int=1)"),
    ("%☠", (1,), "%!☠(int=1)"),
    ("%-+ #010d|", (7,), "+7        |"),
    ("%s|%v|%d", ("a", "b", 3), "a|b|3"),
]


@pytest.mark.parametrize(("format_", "value", "want"), [*INTEGERS, *FLOATS, *STRINGS, *OTHERS])
def test_a_value_is_written_under_a_verb_as_go_writes_it(
    format_: str, value: object, want: str
) -> None:
    assert sprintf(format_, [value]) == want


@pytest.mark.parametrize(("format_", "args", "want"), FORMATS)
def test_directives_take_their_arguments_as_in_go(
    format_: str, args: tuple[object, ...], want: str
) -> None:
    assert sprintf(format_, args) == want


@pytest.mark.parametrize(
    ("args", "want"),
    [
        ((), ""),
        (("a", "b"), "ab"),
        ((1, 2), "1 2"),
        (("a", 1, 2, "b", 3), "a1 2b3"),
        ((None, None), "<nil> <nil>"),
        (([1], {}, True), "[1] map[] true"),
    ],
)
def test_print_puts_blanks_between_operands_that_are_not_strings(
    args: tuple[object, ...], want: str
) -> None:
    assert sprint(args) == want


def test_println_puts_blanks_between_all_operands() -> None:
    assert sprintln(["a", 1, None]) == "a 1 <nil>\n"
    assert sprintln([]) == "\n"


def test_text_is_how_an_action_prints_one_value() -> None:
    values: list[object] = ["a", 1, True, 2.5, None, [1, 2], {"a": "b"}, HOST]
    want = ["a", "1", "true", "2.5", "<nil>", "[1 2]", "map[a:b]", "{10.0.0.1 80 http}"]
    assert [text(value) for value in values] == want


def test_functions_and_maps_have_addresses() -> None:
    assert sprintf("%p", [{}]).startswith("0x")
    assert sprintf("%v", [len]).startswith("0x")


class Named:
    def String(self) -> str:  # noqa: N802
        return "me"


class Failure:
    def Error(self) -> str:  # noqa: N802
        return "broken"

    def GoString(self) -> str:  # noqa: N802
        return "Failure{}"


def test_values_that_can_say_what_they_are_do_so() -> None:
    assert sprintf("%v %s %q %5v %d", [Named()] * 5) == 'me me "me"    me {}'
    assert sprintf("%v %#v", [Failure(), Failure()]) == "broken Failure{}"
    assert sprint([[Named()], Failure()]) == "[me] broken"


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


# No widths in the thousands, which would only take time.
FORMAT_TEXTS = st.text(alphabet="%[]*.-+# 0123456789vdsqxXeEfgGbctTUoOpw!é").filter(
    lambda text: not re.search(r"[0-9]{4}", text)
)


@given(format_=FORMAT_TEXTS, args=st.lists(VALUES, max_size=4))
def test_no_format_and_no_value_raises(format_: str, args: list[object]) -> None:
    assert isinstance(sprintf(format_, args), str)


@given(st.integers(), st.integers(min_value=0, max_value=60))
def test_a_width_is_the_least_length(number: int, width: int) -> None:
    plain = sprintf("%d", [number])
    assert sprintf("%*d", [width, number]) == plain.rjust(width)
    assert sprintf("%-*d", [width, number]) == plain.ljust(width)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_shortest_float_reads_back(number: float) -> None:
    assert float(text(number)) == number
