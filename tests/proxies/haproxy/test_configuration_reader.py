"""Reading only what differs from an earlier text gives what reading the whole text gives."""

from hypothesis import example, given
from hypothesis import strategies as st

from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.shared_part import read_configuration

LINES = st.sampled_from(
    [
        "global",
        "defaults d",
        "defaults e from d",
        "    default-server check",
        "backend a from d",
        "backend b from d",
        "backend b from e",
        "backends of nobody",
        "backend c",
        "listen a",
        "    server ours_1 10.0.0.1:80 check",
        "    server ours_1 10.0.0.1:81 check",
        "    server leader 10.0.0.2:80",
        "    .if feature(QUIC)",
        "    .endif",
        "    balance random # comment",
        "# backend hidden from d",
        "",
        "    \x0cbackend d from d",
    ]
)
TEXTS = st.builds(
    lambda lines, breaks: "".join(line + end for line, end in zip(lines, breaks, strict=False)),
    st.lists(LINES, max_size=14),
    st.lists(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\u2028", ""]), min_size=14),
)


def is_ours(name: str) -> bool:
    return name.startswith("ours_")


@given(st.lists(TEXTS, min_size=1, max_size=6))
@example(["backend a from d\nbackend b from d", "backend a from d\nserver x 10.0.0.1:80\n"])
@example(["a\nbackend a\nbackend b\n", "a\nbackend a\nbackends b\n"])
@example(["backend a\r\nbackend b\r\n", "backend a\rbackend b\r\n"])
def test_texts_in_a_row_are_read_as_each_alone(texts: list[str]) -> None:
    reader = ConfigurationReader(is_ours)
    for text in texts:
        assert reader.read(text) == read_configuration(text, is_ours)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_a_part_may_be_replaced_anywhere(begin: str, before: str, after: str, end: str) -> None:
    reader = ConfigurationReader(is_ours)
    reader.read(begin + before + end)
    text = begin + after + end
    assert reader.read(text) == read_configuration(text, is_ours)


def test_an_unchanged_backend_stays_the_same_object() -> None:
    text = "defaults d\nbackend a from d\n    server ours_1 10.0.0.1:80\n"
    reader = ConfigurationReader(is_ours)
    known = reader.read(f"{text}backend b from d\nbackend c from d\n").backends["a"]
    assert reader.read(f"{text}backend b from d\nbackend x from d\n").backends["a"] is known
