"""No secret is ever shown, whatever is right or wrong with the configuration around it."""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Loaded, Settings, load
from drove_gateway.config.declared_secrets import HIDDEN, without_declared_secrets
from drove_gateway.config.redact import public
from drove_gateway.model.errors import ConfigError

# Nothing else in a message looks like this.
secrets = st.text(alphabet="QXZ0123456789:/@%#?&=+ ", min_size=1).map(lambda text: f"QQ{text}ZZ")
values = st.sampled_from(["text", "number", "list", "table"])
urls = st.sampled_from(["http://u:{}@c1:1", "u:{}@c1", "ftp://{}@c1", "http://{}:u@c1/?a#b"])
queries = st.sampled_from(["http://c1:1?token={}", "http://c1/#{}", "c1:1?{}", "http://c1 ?{}"])


def _toml(secret: str, kind: str) -> str:
    text = json.dumps(secret)
    return {"text": text, "number": "5", "list": f"[{text}]", "table": f"{{a = {text}}}"}[kind]


def _configuration(secret: str, kind: str, url: str, key: str) -> str:
    value = _toml(secret, kind)
    return f"""
        nginxplusapi_pass = {value}
        {key} = {value}
        port = "none"
        loglevel = "verbose"
        nginxplusapiaddr = {json.dumps(url.format(secret))}

        [[namespaces]]
        name = "stage1"
        drove = [{json.dumps(url.format(secret))}]
        user = "guest"
        pass = {value}
        access_token = {value}
        passs = {value}
    """


def _load(text: str, environ: dict[str, str]) -> Loaded:
    with TemporaryDirectory() as directory:
        path = Path(directory, "nixy.toml")
        path.write_text(text)
        return load(path, environ)


@given(secrets, values, urls, st.sampled_from(["nginxplusapipass", "secret_token", "namespace"]))
def test_error_messages_hold_no_secret(secret: str, kind: str, url: str, key: str) -> None:
    try:
        _load(_configuration(secret, kind, url, key), {})
    except ConfigError as refused:
        text = str(refused) + repr(refused)
    assert "port" in text
    assert secret not in text


@given(secrets, queries, st.booleans())
def test_errors_about_an_address_hold_nothing_of_its_query(
    secret: str, query: str, elsewhere: bool
) -> None:
    address = json.dumps(query.format(secret))
    names = ("drove", "[" + address + "]") if not elsewhere else ("drove", '["http://c1"]')
    text = f"""
        nginxplusapiaddr = {address}

        [[namespaces]]
        name = "stage1"
        {names[0]} = {names[1]}
    """
    try:
        _load(text, {})
    except ConfigError as refused:
        problems = refused.problems
    assert not [problem for problem in problems if "QQ" in problem or "ZZ" in problem]


@given(secrets, urls)
def test_messages_about_the_environment_hold_no_secret(secret: str, url: str) -> None:
    controllers = url.format(secret.replace(",", ""))
    environ = {"DROVE_CONTROLLERS": controllers, "DROVE_PASSWORD": secret}
    try:
        loaded = load(None, environ)
        text = repr(loaded) + json.dumps(public(loaded.settings))
    except ConfigError as refused:
        text = str(refused) + repr(refused)
    assert secret not in text


@given(secrets)
def test_syntax_errors_hold_no_secret(secret: str) -> None:
    for broken in (
        f'pass = "{secret}',
        f"pass = {secret}",
        f'pass "{secret}"',
        f"pass = '{secret}",
    ):
        try:
            _load(broken, {})
        except ConfigError as refused:
            assert secret not in str(refused)  # noqa: PT017


@given(secrets)
def test_settings_and_warnings_show_no_secret(secret: str) -> None:
    text = json.dumps(secret)
    loaded = _load(
        f"""
        nginxplusapi_pass = {text}
        passwort = {text}

        [[namespaces]]
        name = "stage1"
        drove = ["http://controller1"]
        pass = {text}
        access_token = {text}
        """,
        {"DROVE_USERNAME": "guest"},
    )
    settings = loaded.settings
    assert settings.namespaces[0].password.get_secret_value() == secret
    shown = [repr(loaded), str(settings), settings.model_dump_json(), json.dumps(public(settings))]
    shown += [repr(settings.model_dump()), str(settings.namespaces[0]), repr(loaded.warnings)]
    assert [text for text in shown if secret in text] == []


def test_the_public_view_has_every_key_and_shows_which_secrets_are_set() -> None:
    settings = Settings.model_validate(
        {
            "api_timeout": 2.5,
            "namespaces": [{"name": "a", "drove": ["http://c"], "user": "guest", "pass": "b"}],
        }
    )
    view = public(settings)
    assert view["api_timeout"] == 2.5
    assert view["nginxplusapi_pass"] == ""
    assert set(view) == set(Settings.model_fields)
    namespace = view["namespaces"][0]  # type: ignore[index]
    assert isinstance(namespace, dict)
    assert namespace["pass"] == HIDDEN
    assert namespace["access_token"] == ""
    assert namespace["drove"] == ["http://c"]
    json.dumps(view)


def test_the_public_view_hides_what_a_value_declares_to_be_secret() -> None:
    settings = Settings.model_validate(
        {
            "xproxy": "http://jo:OPENSESAME@edge1",
            "haproxy_reload_cmd": "curl -u jo:OPENSESAME http://h/reload?token=OPENSESAME",
            "template": {
                "password": "OPENSESAME",
                "STATS_PASS": "OPENSESAME",
                "UPLINK": "https://jo:OPENSESAME@uplink",
                "HTTP_PORT": 8080,
                "API_TOKEN": "",
            },
            "namespaces": [{"name": "a", "drove": ["http://c"]}],
        }
    )
    view = public(settings)

    assert "OPENSESAME" not in json.dumps(view)
    assert view["template"] == {
        "password": HIDDEN,
        "STATS_PASS": HIDDEN,
        "UPLINK": "https://***@uplink",
        "HTTP_PORT": "8080",
        "API_TOKEN": "",
    }
    assert view["haproxy_reload_cmd"] == "curl -u jo:*** http://h/reload?token=***"


def test_a_secret_in_the_name_that_clients_see_is_warned_of_unseen() -> None:
    namespace = '[[namespaces]]\nname = "a"\ndrove = ["http://c"]\n'
    [warning] = _load(f'xproxy = "http://jo:OPENSESAME@edge1"\n{namespace}', {}).warnings

    assert "seems to contain a secret" in warning.text
    assert "OPENSESAME" not in warning.text


def test_a_name_that_would_break_every_template_is_refused() -> None:
    namespace = '[[namespaces]]\nname = "a"\ndrove = ["http://c"]\n'
    with pytest.raises(ConfigError, match=r"xproxy.*must be one line of printable text"):
        _load(f'xproxy = "edge1\\n}}"\n{namespace}', {})


@pytest.mark.parametrize("beginning", ["", "add_header x-", "hdr(x)", "?", "/"])
@pytest.mark.parametrize(
    "piece", ["://a:", "$", "token", "key", "hdr(x)", "-", " ", "a$", "password ", "token '"]
)
def test_a_long_text_of_a_tenant_is_read_in_linear_time(beginning: str, piece: str) -> None:
    text = beginning + piece * (30_000 // len(piece))
    begin = time.process_time()

    without_declared_secrets(text)

    # Some milliseconds; a pattern that begins again at each piece takes many seconds.
    assert time.process_time() - begin < 1.0


def test_a_quotation_mark_that_is_not_closed_hides_no_other_line() -> None:
    shown = without_declared_secrets('password "abc\nserver a 10.0.0.1:80\nset $x "y";')

    assert shown.splitlines()[1:] == ["server a 10.0.0.1:80", 'set $x "y";']
