"""Bytes that almost are what is expected: for fuzzing what others send."""

import random

ODD = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"null",
    b"-1",
    b"1e999",
    b"9223372036854775807",
    b'"\\ud800"',
    b"[" * 2000,
    b'{"a":' * 2000,
    b"A" * 20_000,
    b"\r\n",
    b"\n\n",
    b"\x1b[2J",
    b"%s%n",
    b"{{.}}",
    b"';drop",
    b"\xe2\x80\xae",
)


def mutated(data: bytes, dice: random.Random) -> bytes:
    """Return `data` with a few random faults."""
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        data = dice.choice(_FAULTS)(data, dice)
    return data


def _flip(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _leave_out(data: bytes, dice: random.Random) -> bytes:
    begin, end = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    return data[:begin] + data[end:]


def _repeat(data: bytes, dice: random.Random) -> bytes:
    begin = dice.randrange(len(data) + 1)
    piece = data[begin : begin + dice.randrange(1, 200)]
    return data[:begin] + piece * dice.choice((2, 3, 500)) + data[begin:]


def _insert(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(ODD) + data[at:]


def _exchange(data: bytes, dice: random.Random) -> bytes:
    """Replace a word, so that most of the syntax stays intact."""
    words = data.replace(b",", b" , ").replace(b":", b" : ").split(b" ")
    words[dice.randrange(len(words))] = dice.choice(ODD)
    return b" ".join(words)


_FAULTS = (_flip, _cut, _leave_out, _repeat, _insert, _exchange)
