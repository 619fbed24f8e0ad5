"""Values that the original starts with, as it was recorded: each starts the gateway, with a
warning where it means something else here or cannot work."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Loaded, Settings, load
from drove_gateway.config.draft import Draft, tables
from drove_gateway.config.tolerance import STATE_FILE, TIME_LIMITS, tolerant
from drove_gateway.model.errors import ConfigError

NAMESPACE = '\n[[namespaces]]\nname = "stage1"\ndrove = ["http://controller1:10000"]\n'

DEFAULTS_OF_EMPTY_TEXTS = {
    "haproxy_add_server_ssl_attributes_string": "ssl verify none",
    "haproxy_server_name_prefix": "server",
    "haproxy_server_name_host_port_delimiter": "_",
    "haproxy_backend_name_separator": "_",
    "proxy_platform": "nginx",
    "loglevel": "info",
    "address": "127.0.0.1",
    "port": 6000,
    "nginx_cmd": "nginx",
    "haproxy_reload_cmd": "systemctl reload haproxy",
    "state_persistence_dir": "/var/lib/drove-gateway",
    "left_delimiter": "",
}


@pytest.fixture(autouse=True)
def _in_its_own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> Loaded:
    Path("nixy.toml").write_text(text)
    return load(Path("nixy.toml"), {})


def warnings(loaded: Loaded) -> list[str]:
    return [notice.text for notice in loaded.warnings]


@pytest.mark.parametrize(("key", "default"), DEFAULTS_OF_EMPTY_TEXTS.items())
def test_empty_text_means_the_default(key: str, default: object) -> None:
    loaded = read(f'{key} = ""{NAMESPACE}')
    assert getattr(loaded.settings, key) == default
    assert warnings(loaded) == []


def test_every_text_key_may_be_empty() -> None:
    texts = [key for key, field in Settings.model_fields.items() if field.annotation is str]
    loaded = read("".join(f'{key} = ""\n' for key in texts) + NAMESPACE)
    assert loaded.settings.model_copy(update={"namespaces": ()}) == Settings()


@pytest.mark.parametrize(
    ("written", "level", "warned"),
    [
        ("trace", "debug", True),
        ("TRACE", "debug", True),
        ("verbose", "info", True),
        ("fatal", "info", True),
        ("Warning", "warn", False),
        ("ERROR", "error", False),
    ],
)
def test_log_level_may_be_any_word(written: str, level: str, warned: bool) -> None:
    loaded = read(f'loglevel = "{written}"{NAMESPACE}')
    assert loaded.settings.loglevel == level
    text = f'is read as "{level}"; the levels are debug, info, warn, error'
    assert warnings(loaded) == [f'nixy.toml:1: loglevel = "{written}": {text}'] * warned


@pytest.mark.parametrize("value", ["0", "-1", "-0.5"])
@pytest.mark.parametrize(
    ("key", "seconds"),
    [
        ("event_refresh_interval_sec", 2),
        ("dns_resolution_timeout_sec", 2),
        ("api_timeout", 10),
        ("startup_controller_sync_tries", 2),
    ],
)
def test_interval_of_zero_or_less_is_what_the_original_takes_instead(
    key: str, seconds: float, value: str
) -> None:
    loaded = read(f"{key} = {value}{NAMESPACE}event_refresh_interval_sec = {value}")
    assert getattr(loaded.settings, key) == seconds
    text = f"must be greater than 0; {seconds} is used instead"
    assert warnings(loaded) == [f"nixy.toml:1: {key} = {value}: {text}"]


def test_negative_delay_of_the_first_tries_is_what_the_original_takes_instead() -> None:
    loaded = read(f"startup_controller_sync_retry_delay_sec = -1{NAMESPACE}")
    assert loaded.settings.startup_controller_sync_retry_delay_sec == 1
    (warning,) = warnings(loaded)
    assert warning.endswith("_sec = -1: must be 0 or more; 1 is used instead")


def test_negative_max_fails_is_passed_on() -> None:
    loaded = read(f"nginx_max_fails = -1{NAMESPACE}")
    assert loaded.settings.nginx_max_fails == -1
    (warning,) = warnings(loaded)
    assert warning.startswith("nixy.toml:1: nginx_max_fails = -1: is passed on")


@pytest.mark.parametrize(
    ("key", "delimiters"), [("left_delimiter", ("<%", "}}")), ("right_delimiter", ("{{", "<%"))]
)
def test_one_delimiter_alone_works(key: str, delimiters: tuple[str, str]) -> None:
    loaded = read(f'{key} = "<%"{NAMESPACE}')
    assert loaded.settings.delimiters == delimiters
    assert warnings(loaded) == []


def test_namespaces_of_the_same_name_are_made_distinct() -> None:
    taken = NAMESPACE.replace("stage1", "stage1_2")
    loaded = read(NAMESPACE + NAMESPACE + taken + NAMESPACE)
    names = [namespace.name for namespace in loaded.settings.namespaces]
    assert names == ["stage1", "stage1_3", "stage1_2", "stage1_4"]
    assert len(warnings(loaded)) == 2
    assert 'this one is called "stage1_3"' in warnings(loaded)[0]


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "a_2_2", "b"])))
def test_distinct_names_are_distinct_and_the_first_is_kept(names: list[str]) -> None:
    draft = tolerant(Draft("nixy.toml", {"namespaces": [{"name": name} for name in names]}))
    made = [str(table["name"]) for table in tables(draft.values)]
    assert len(set(made)) == len(made)
    for name in set(names):
        assert made[names.index(name)] == name


@pytest.mark.parametrize("drove", ["", "drove = []", 'drove = [""]', 'drove = ["", " "]'], ids=repr)
def test_namespace_without_controllers_is_served_nothing_and_the_others_are(drove: str) -> None:
    loaded = read(f'[[namespaces]]\nname = "empty"\n{drove}\n{NAMESPACE}')
    empty, other = loaded.settings.namespaces
    assert (empty.drove, other.drove) == ((), ("http://controller1:10000",))
    (warning,) = warnings(loaded)
    assert 'namespace "empty": drove: no controller is configured' in warning


def test_an_empty_url_beside_others_is_left_out() -> None:
    loaded = read(NAMESPACE.replace('["http', '["", "http'))
    assert loaded.settings.namespaces[0].drove == ("http://controller1:10000",)
    assert warnings(loaded) == ['nixy.toml:4: namespace "stage1": drove: an empty URL is left out']


def test_credentials_in_urls_are_used_as_user_and_pass_and_never_shown() -> None:
    urls = '"http://reader:s%40cret@a:4000", "http://b:4000", "https://reader:s%40cret@c/"'
    loaded = read(f'[[namespaces]]\nname = "stage1"\ndrove = [{urls}]')
    (namespace,) = loaded.settings.namespaces
    assert namespace.drove == ("http://a:4000", "http://b:4000", "https://c")
    assert (namespace.user, namespace.password.get_secret_value()) == ("reader", "s@cret")
    (warning,) = warnings(loaded)
    assert 'namespace "stage1": drove[0]: contains a user and password, which are used' in warning
    assert not any(secret in repr(loaded) for secret in ("s@cret", "s%40cret"))


@pytest.mark.parametrize(
    ("keys", "named"), [('user = "u"', "user"), ('user = "u"\naccess_token = "t"', "access_token")]
)
def test_user_and_token_win_over_credentials_in_urls(keys: str, named: str) -> None:
    loaded = read(f'{NAMESPACE.replace("//c", "//a:b@c")}{keys}\npass = "p"')
    (namespace,) = loaded.settings.namespaces
    assert (namespace.user, namespace.password.get_secret_value()) == ("u", "p")
    assert any(f"have no effect, because {named} is set" in text for text in warnings(loaded))


@pytest.mark.parametrize("keys", [STATE_FILE, TIME_LIMITS], ids=lambda keys: keys[0])
def test_keys_of_newer_versions_that_are_not_needed_cause_one_warning(
    keys: tuple[str, str],
) -> None:
    (warning,) = warnings(read(f"{keys[0]} = 1\n{keys[1]} = 2{NAMESPACE}"))
    assert warning.startswith(f"nixy.toml:1: {keys[0]}: has no effect, and neither has {keys[1]}: ")


def test_credentials_that_differ_between_urls_are_refused() -> None:
    """One of them would be wrong after a change of the leader."""
    Path("nixy.toml").write_text(
        '[[namespaces]]\nname = "a"\ndrove = ["http://u:pass-1@a:1", "http://u:pass-2@b:1"]'
    )
    with pytest.raises(ConfigError) as refused:
        load(Path("nixy.toml"), {})
    (problem,) = refused.value.problems
    assert problem.startswith('nixy.toml:3: namespace "a": drove[1]: contains another user or')
    assert "pass-" not in problem
