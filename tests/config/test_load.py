"""What `load` makes of a file: settings, or every problem at once, in sentences."""

from pathlib import Path

import pytest
from tests.config.loading import NAMESPACE, problems, read, warnings

from drove_gateway.config import load
from drove_gateway.model.errors import ConfigError


def test_a_whole_file(directory: Path) -> None:
    loaded = read(
        """
        address = "0.0.0.0"
        admin_token = "let-me-act"
        port = "6001"
        api_timeout = 2.5
        proxy_platform = "haproxy"
        haproxysocketaddr = "ipv4@127.0.0.1:9999"

        [[namespaces]]
        name = "stage1"
        drove = ["http://controller1:10000", "https://controller2/"]
        user = "guest"
        pass = "secret"
        event_refresh_interval_sec = 5

        [[namespaces]]
        name = "stage2"
        drove = ["http://controller3:10000"]
        access_token = "O-Bearer token"
        """,
        directory,
    )
    settings = loaded.settings
    assert (settings.address, settings.port, settings.api_timeout) == ("0.0.0.0", 6001, 2.5)
    assert [namespace.name for namespace in settings.namespaces] == ["stage1", "stage2"]
    first, second = settings.namespaces
    assert first.drove == ("http://controller1:10000", "https://controller2")
    assert first.password.get_secret_value() == "secret"
    assert second.access_token.get_secret_value() == "O-Bearer token"
    assert loaded.warnings == ()


def test_all_problems_are_reported_at_once(directory: Path) -> None:
    text = """
        port = "70000"
        api_timeout = "10s"
        proxy_platform = "ngnix"
        nginx_max_fails = 0.5
        nginx_ignore_check = "yes"
        haproxysocketaddr = "admin.sock"
        haproxy_server_name_prefix = "a b"
        haproxy_add_server_attributes_string = "check; shutdown"

        [[namespaces]]
        nmae = "stage1"
        drove = ["controller1:10000", "ftp://user:secret@controller2", 5]

        [[namespaces]]
        name = "stage2"
        drove = []
        user = 1
    """
    assert problems(text, directory) == (
        'nixy.toml: port = "70000": must be a port from 0 to 65535, as a number or in quotes',
        'nixy.toml: api_timeout = "10s": must be a number, without quotes',
        'nixy.toml: proxy_platform = "ngnix": must be "nginx" or "haproxy"; did you mean "nginx"?',
        "nixy.toml: nginx_max_fails = 0.5: must be a whole number, without quotes",
        'nixy.toml: nginx_ignore_check = "yes": must be true or false, without quotes',
        (
            'nixy.toml: haproxysocketaddr = "admin.sock": must be the path of a Unix socket '
            "(/run/haproxy/admin.sock or unix@PATH), ipv4@HOST:PORT, ipv6@[ADDRESS]:PORT or "
            "HOST:PORT"
        ),
        (
            'nixy.toml: haproxy_server_name_prefix = "a b": must consist of letters, digits and '
            "_ . : - only, as HAProxy's names are"
        ),
        (
            'nixy.toml: haproxy_add_server_attributes_string = "check; shutdown": must be one line '
            "without ';', which would end the runtime command"
        ),
        "nixy.toml: namespaces[0]: name: is missing; every namespace requires it",
        "nixy.toml: namespaces[0]: nmae: unknown key without effect; did you mean name?",
        (
            'nixy.toml: namespaces[0]: drove[0] = "controller1:10000": must begin with http:// or '
            "https://, such as http://controller1:10000"
        ),
        (
            'nixy.toml: namespaces[0]: drove[1] = "***@controller2": must not contain a user or '
            "password; set them with their own keys"
        ),
        "nixy.toml: namespaces[0]: drove[2] = 5: must be text in quotes",
        'nixy.toml: namespace "stage2": user = 1: must be text in quotes',
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "haproxy_reload_disabled = true",
            (
                "haproxy_reload_disabled = true: needs haproxysocketaddr; "
                "without it no change could ever reach the proxy"
            ),
        ),
        (
            "nginx_reload_disabled = true",
            (
                "nginx_reload_disabled = true: needs nginxplusapiaddr; "
                "without it no change could ever reach the proxy"
            ),
        ),
        (
            'nginx_cmd = " "',
            'nginx_cmd = " ": must not be empty with proxy_platform = "nginx"',
        ),
        (
            'proxy_platform = "haproxy"\nhaproxy_reload_cmd = " "',
            'haproxy_reload_cmd = " ": must not be empty with proxy_platform = "haproxy"',
        ),
        ("port = true", "port = true: must be a port"),
        ("nginx_max_fails = 1.0", "nginx_max_fails = 1.0: must be a whole number"),
        ("api_timeout = nan", "api_timeout = nan: must be a finite number"),
        ("api_timeout = true", "api_timeout = true: must be a number"),
        ("xproxy = []", "xproxy = []: must be text in quotes"),
        ("xproxy = {a = 1}", "xproxy = {…}: must be text in quotes"),
        ("xproxy = 2026-11-22", "xproxy = 2026-11-22: must be text in quotes"),
        ("loglevel = 5", 'loglevel = 5: must be "debug", "info", "warn" or "error"'),
        ('haproxy_master_socket = "h:1"', "must be the path of a Unix socket"),
    ],
)
def test_single_problems(text: str, problem: str, directory: Path) -> None:
    (message,) = problems(text + NAMESPACE, directory)
    assert problem in message


def test_keys_of_the_other_proxy_may_be_empty(directory: Path) -> None:
    read('haproxy_cmd = ""\nhaproxy_reload_cmd = ""' + NAMESPACE, directory)


def test_nothing_is_concluded_from_a_broken_key(directory: Path) -> None:
    (problem,) = problems(
        "haproxy_reload_disabled = true\nhaproxysocketaddr = 5" + NAMESPACE, directory
    )
    assert "haproxysocketaddr = 5" in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "",
            (
                "nixy.toml: namespaces: no Drove cluster is configured; add a [[namespaces]] "
                "table with name and drove, or set DROVE_CONTROLLERS"
            ),
        ),
        (
            '[namespaces]\nname = "a"',
            (
                "nixy.toml: namespaces: must be tables; begin each with [[namespaces]] in double "
                "brackets"
            ),
        ),
        (
            'namespaces = ["a"]',
            (
                "nixy.toml: namespaces: must be tables; begin each with [[namespaces]] in double "
                "brackets"
            ),
        ),
        (
            NAMESPACE.replace("stage1", " "),
            'nixy.toml: namespace " ": name = " ": must not be empty',
        ),
    ],
)
def test_namespaces_that_are_refused(text: str, problem: str, directory: Path) -> None:
    assert problems(text, directory) == (problem,)


def test_unknown_keys_are_warnings_with_the_nearest_known_key(directory: Path) -> None:
    text = """
        haproxysocketadr = "/run/a.sock"
        traefikbackend = ["nixy-demo"]
        realm_sufix = ".example.com"
        tls_ca_file = ""
        "two\\nlines" = 1

        [[namespaces]]
        name = "stage1"
        drove = ["http://controller1:10000"]
        acces_token = "secret"
        port = 6000

        [statsd]
        addr = "localhost"
    """
    assert warnings(text, directory) == [
        'nixy.toml: "two\\nlines": unknown key without effect',
        (
            "nixy.toml: haproxysocketadr: unknown key without effect; "
            "did you mean haproxysocketaddr?"
        ),
        "nixy.toml: traefikbackend: unknown key without effect",
        (
            "nixy.toml: realm_sufix: unknown key without effect; did you mean realm_suffix, "
            "which belongs in a [[namespaces]] table?"
        ),
        (
            "nixy.toml: tls_ca_file: unknown key without effect; "
            "it belongs in a [[namespaces]] table"
        ),
        (
            'nixy.toml: namespace "stage1": acces_token: unknown key without effect; '
            "did you mean access_token?"
        ),
        (
            'nixy.toml: namespace "stage1": port: unknown key without effect; '
            "it belongs above the first [[namespaces]]"
        ),
        "nixy.toml: statsd: unknown key without effect",
    ]


@pytest.mark.parametrize(
    ("keys", "warning"),
    [
        ('user = "guest"', 'user = "guest": is set without pass, so an empty password is sent'),
        ('pass = "guest"', "pass: has no effect without user"),
        (
            'user = "a"\npass = "b"\naccess_token = "c"',
            "access_token: is sent; user and pass have no effect",
        ),
        (
            'realm = " , "',
            'realm = " , ": names no vhost, so nothing of the namespace is served',
        ),
        ('realm = ","\nrealm_suffix = ".a"', 'realm = ",": names no vhost'),
        ('realm_suffix = " "', 'realm_suffix = " ": is blank, so no vhost ends in it'),
        (
            'realm = "a.local, *.local"',
            (
                'realm = "a.local, *.local": has exact names, so "*.local" is only the vhost of '
                "that name; for every vhost with an ending, set realm_suffix"
            ),
        ),
        (
            "tls_skip_verify = true",
            "tls_skip_verify = true: the controllers' certificates are not verified",
        ),
    ],
)
def test_doubtful_namespaces_are_warned_of(keys: str, warning: str, directory: Path) -> None:
    assert warnings(NAMESPACE + keys, directory) == [f'nixy.toml: namespace "stage1": {warning}']


@pytest.mark.parametrize(
    ("address", "token", "warned"),
    [
        ("127.0.0.1", "", False),
        ("::1", "", False),
        ("0.0.0.0", "", True),
        ("0.0.0.0", "let-me-act", False),
    ],
)
def test_an_api_that_everybody_can_act_on_is_warned_of(
    address: str, token: str, warned: bool, directory: Path
) -> None:
    keys = f'address = "{address}"\nadmin_token = "{token}"\n'
    messages = warnings(keys + NAMESPACE, directory)
    assert [("set admin_token" in text) for text in messages] == [True] * warned


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ('admin_read_token = "look"', "admin_read_token: needs admin_token too"),
        ('admin_token = "two words"', "admin_token: must consist of visible ASCII characters"),
        ('admin_token = "schlüssel"', "admin_token: must consist of visible ASCII characters"),
    ],
)
def test_tokens_that_cannot_work_are_refused_unseen(
    keys: str, problem: str, directory: Path
) -> None:
    (message,) = problems(f"{keys}\n{NAMESPACE}", directory)
    assert message.startswith(f"nixy.toml: {problem}")
    assert "look" not in message
    assert "words" not in message


def test_values_are_shown_on_one_line_and_shortened(directory: Path) -> None:
    text = 'nginxplusapiaddr = "a\\nb\\u009b' + "x" * 100 + '"'
    (problem,) = problems(text + NAMESPACE, directory)
    assert r'nginxplusapiaddr = "a\nb\x9bxxx' in problem
    assert "\n" not in problem
    assert len(problem) < 250


def test_a_byte_order_mark_is_accepted(directory: Path) -> None:
    (directory / "nixy.toml").write_bytes(b"\xef\xbb\xbfport = 1\r\n" + NAMESPACE.encode())
    assert load(Path("nixy.toml"), {}).settings.port == 1


def test_two_namespaces_with_the_same_leader_vhost_are_refused_naming_both(directory: Path) -> None:
    text = NAMESPACE + 'leader_vhost = "drove.example.com"\n'
    text += NAMESPACE.replace("stage1", "stage2") + 'leader_vhost = "Drove.Example.COM."\n'
    with pytest.raises(ConfigError) as refused:
        read(text, directory)
    assert str(refused.value) == (
        'nixy.toml:2: namespaces: "stage1" and "stage2" have the same leader_vhost '
        '"drove.example.com"; requests could only reach the controllers of one of them'
    )
