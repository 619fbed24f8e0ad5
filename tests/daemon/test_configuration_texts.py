"""What a difference of configurations shows, and what it hides."""

import base64
from urllib.parse import quote

import pytest

from drove_gateway.config import Settings
from drove_gateway.daemon.configuration_texts import configuration_texts

SECRET = "s3cret-of-the-cluster"
SETTINGS = Settings.model_validate(
    {
        "admin_token": SECRET,
        "namespaces": [{"name": "stage", "drove": ["http://c1"], "access_token": "t0ken-of-stage"}],
    }
)
HIDE = configuration_texts(SETTINGS, {"DB_PASSWORD": "from-the-env", "HOME": "/root"}).hide


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET, safe=""),
        "".join(f"%{byte:02x}" for byte in SECRET.encode()),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        SECRET.encode().hex(),
        "".join(f"\\u{ord(char):04x}" for char in SECRET),
        "t0ken-of-stage",
        "from-the-env",
    ],
)
def test_a_secret_is_hidden_in_any_encoding(shown: str) -> None:
    line = f"+    http-request set-header X-Auth {shown} if TRUE"

    assert shown not in HIDE(line)
    assert HIDE(line).startswith("+    http-request set-header X-Auth ")


@pytest.mark.parametrize(
    "line",
    [
        "  user jo password PASSWORD",
        "  user jo insecure-password PASSWORD groups g",
        "  stats auth jo:PASSWORD",
        '  proxy_set_header Authorization "Basic PASSWORD";',
        "  http-request set-header Authorization PASSWORD",
        "  set $api_key PASSWORD;",
        "  proxy_pass http://jo:PASSWORD@backend;",
    ],
)
def test_what_the_proxys_directives_declare_secret_is_hidden(line: str) -> None:
    assert "PASSWORD" not in HIDE(line)


@pytest.mark.parametrize(
    "line",
    [
        "-    server s1 10.0.0.1:80 check inter 1s",
        "    bind :443 ssl crt /etc/haproxy/certs",
        "    proxy_pass http://web.example.com:8080;",
        "    use_backend web if { hdr(host) -i /root }",
    ],
)
def test_other_lines_are_shown_as_they_are(line: str) -> None:
    assert HIDE(line) == line
