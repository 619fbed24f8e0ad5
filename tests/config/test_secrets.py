"""No secret is ever shown, whatever is right or wrong with the configuration around it."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Loaded, Settings, load
from drove_gateway.config.redact import HIDDEN, public
from drove_gateway.model.errors import ConfigError

# Nothing else in a message looks like this.
secrets = st.text(alphabet="QXZ0123456789:/@%#?&=+ ", min_size=1).map(lambda text: f"QQ{text}ZZ")
values = st.sampled_from(["text", "number", "list", "table"])
urls = st.sampled_from(["http://u:{}@c1:1", "u:{}@c1", "ftp://{}@c1", "http://{}:u@c1/?a#b"])


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
