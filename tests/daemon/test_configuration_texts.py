"""What a difference of configurations shows, and what it hides."""

import base64
from urllib.parse import quote

import pytest

from drove_gateway.config import Settings
from drove_gateway.daemon.configuration_texts import (
    configuration_texts,
    health_without_secrets,
    known_secrets,
    record_without_secrets,
)
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.model.records import ApplyRecord

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
        "  proxy_pass http://jo:x/PASSWORD@backend;",
        "  proxy_pass http://backend/?v=1&access_token=PASSWORD;",
        "  acl trusted req.hdr(x-internal) -m str PASSWORD",
        "  http-request deny unless { req.hdr(x-internal) -m str PASSWORD }",
        "  http-request deny unless { hdr(x-internal),lower -i -- PASSWORD OTHER }",
        "  http-request deny unless { req.cook(door) PASSWORD } { path /x }",
        "  http-request deny unless { urlp(door) -m str PASSWORD }",
        "  http-request set-header X-Edge-Auth PASSWORD if TRUE",
        "  http-request add-header Cookie session=PASSWORD",
        '  http-request set-header X-Who "Bearer PASSWORD"',
        '  proxy_set_header X-Api-Key "PASSWORD";',
        '  if ($http_x_internal != "PASSWORD") { return 403; }',
        '  if ($arg_door = "PASSWORD") { return 200; }',
        '  secure_link_md5 "$uri PASSWORD";',
        "  user jo password $6$PASSWORD",
        "  set $upstream_secret PASSWORD;",
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
        "    server_name token.example.com secret-service.example.com;",
        "    upstream password-reset.example.com {",
        "    http-request del-header Upgrade if { req.hdr(Upgrade) -m sub -i h2c }",
        "    http-request set-header X-Forwarded-Proto https if { ssl_fc }",
        "    http-request set-header X-Id %[uuid] unless { req.hdr(X-Id) -m found }",
        "    http-request set-var(txn.a) req.hdr(X-Env) if TRUE",
        "    acl drove:known-vhost var(txn.vhost) -m str -- web.example.com",
        '    http-response set-header X-Proxy "edge1"',
        "    proxy_set_header Host $http_host;",
        "    if ($http_upgrade = websocket) { return 200; }",
        "    ssl_certificate_key /etc/nginx/key.pem;",
    ],
)
def test_other_lines_are_shown_as_they_are(line: str) -> None:
    assert HIDE(line) == line


def test_a_value_of_the_template_table_is_hidden_where_its_name_says_that_it_is_secret() -> None:
    template = {"DOOR_TOKEN": "0pen-the-door", "GREETING": "hello-there"}
    hide = configuration_texts(SETTINGS.model_copy(update={"template": template}), {}).hide

    assert "0pen" not in hide("+ http-request set-var(txn.door) str(0pen-the-door)")
    assert "hello-there" in hide("+ http-request set-var(txn.door) str(hello-there)")


def test_the_causes_of_an_apply_show_no_known_secret() -> None:
    hide = known_secrets(SETTINGS, {}).hide
    record = ApplyRecord(
        at=0.0,
        took=0.0,
        triggers=(),
        steps=(),
        reasons=("web.example.com is new", f"`http-request set-header X-Door {SECRET}` in `x`"),
        failed=(("web.example.com", f"unknown keyword {SECRET!r}"),),
        error=f"the proxy said {SECRET}",
    )

    shown = record_without_secrets(record, hide)

    assert SECRET not in repr(shown)
    assert shown.reasons[0] == record.reasons[0]
    assert [vhost for vhost, _ in shown.failed] == ["web.example.com"]


def test_the_sections_of_health_show_no_known_secret() -> None:
    section = HealthSection(healthy=False, message=f"line 4: {SECRET}")
    health = ProxyHealth(config=section, template=section, upstream_updates=section)

    shown = health_without_secrets(health, known_secrets(SETTINGS, {}).hide)

    assert SECRET not in repr(shown)
    assert not shown.config.healthy


@pytest.mark.parametrize(
    "text",
    [
        "vhost s3cret-o.example.com is new",
        "/run/credentials/drove-gateway.service/key cannot be read",
        "vhost guest.example.com, user guest",
    ],
)
def test_names_that_share_a_piece_with_a_secret_are_shown_in_messages(text: str) -> None:
    directory = "/run/credentials/drove-gateway.service"
    namespace = {"name": "a", "drove": ["http://c"], "user": "guest", "pass": "guest"}
    settings = SETTINGS.model_copy(
        update={"namespaces": (Settings.model_validate({"namespaces": [namespace]}).namespaces)}
    )
    hide = known_secrets(settings, {"CREDENTIALS_DIRECTORY": directory}).hide

    assert hide(text) == text


@pytest.mark.parametrize("cut", [f"line 4: X-Door {SECRET[:12]}", f"at 4 (X {SECRET[:10]}…)"])
def test_the_beginning_of_a_secret_is_hidden_where_a_message_was_cut(cut: str) -> None:
    shown = known_secrets(SETTINGS, {}).hide(cut)

    assert SECRET[:8] not in shown
