"""No piece of a credential is shown, however it comes back."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.drove.excerpt import excerpt
from drove_gateway.drove.secrets import Secrets

TOKEN = "eyJhbGciOiJIUzI1NiJ9.s3cr3t/p+ss&w<rd~0123456789.sig"
SECRETS = Secrets([TOKEN, "p@ss"])


def escaped(text: str, form: str) -> str:
    return "".join(form.format(ord(char)) for char in text)


@pytest.mark.parametrize(
    "reflected",
    [
        TOKEN,
        json.dumps(TOKEN),
        json.dumps(TOKEN).replace("/", "\\/"),
        escaped(TOKEN, "\\u{:04x}"),
        escaped(TOKEN, "%{:02x}"),
        escaped(TOKEN, "&#{};"),
        quote(TOKEN, safe=""),
        quote(quote(TOKEN, safe=""), safe=""),
        html.escape(TOKEN),
        TOKEN.encode().hex(),
        base64.b64encode(TOKEN.encode()).decode(),
        base64.b64encode(b"x" + TOKEN.encode()).decode(),
        base64.b64encode(b"user:" + TOKEN.encode()).decode(),
        base64.urlsafe_b64encode(TOKEN.encode()).decode(),
        TOKEN[:20],
        TOKEN[-20:],
        "p@ss",
        "p%40ss",
    ],
    ids=range(18),
)
def test_a_reflected_secret_is_hidden_in_any_encoding_and_when_cut(reflected: str) -> None:
    shown = SECRETS.hide(f"you sent [{reflected}], go away")
    assert shown.startswith("you sent [")
    assert shown.endswith("], go away")
    assert len(shown) < len("you sent [], go away") + 12


def test_text_without_secrets_is_unchanged() -> None:
    text = 'a "controller" \\u0041 %41 &amp; more…'
    assert SECRETS.hide(text) == text


@given(st.integers(0, 600))
def test_an_excerpt_shows_no_piece_of_a_secret_wherever_it_would_be_cut(before: int) -> None:
    shown = excerpt(b"x" * before + TOKEN.encode() + b"y" * 500, hide=SECRETS.hide)
    assert not any(TOKEN[at : at + 8] in shown for at in range(len(TOKEN) - 7))
