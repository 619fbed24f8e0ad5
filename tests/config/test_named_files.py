"""The files that a configuration names, and files that are not a configuration."""

import os
import socket
from pathlib import Path

import pytest
from tests.config.loading import NAMESPACE, problems, read
from tests.config.places import without_line

from drove_gateway.config import load, load_again
from drove_gateway.model.errors import ConfigError


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            b'port = "6000"\naddress = \n',
            "nixy.toml:2: is not valid TOML: this is not a value; text must be in quotes",
        ),
        (b'a = "\n"', "nixy.toml:1: is not valid TOML: a quote is missing at the end of the text"),
        (b'[[namespaces]\nname = "a"', "nixy.toml:1: is not valid TOML: Expected ']]'"),
        (
            b'xproxy = """\nopen\n',
            "nixy.toml:3: is not valid TOML: a quote is missing at the end of the text",
        ),
        (
            b"port = 1\nport = 2\n",
            "nixy.toml:2: is not valid TOML: the key or table stands here for the second time",
        ),
        (
            b"[template]\na = 1\n[template]\nb = 2\n",
            "nixy.toml:3: is not valid TOML: the table [template] stands here for the second time",
        ),
        (b'port = 1\nxproxy = "\xff"', "nixy.toml:2: is not UTF-8 text, as TOML requires"),
        (b"port = " + b"9" * 5000, "nixy.toml: is not valid TOML: "),
        (b"a = " + b"[" * 100_000, "nixy.toml: is nested too deeply"),
    ],
)
def test_what_is_not_toml_is_reported_with_file_and_line(
    content: bytes, problem: str, directory: Path
) -> None:
    (directory / "nixy.toml").write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load(Path("nixy.toml"), {})
    (message,) = refused.value.problems
    assert message.startswith(problem)
    assert "\n" not in message


def test_a_pipe_in_the_files_place_is_refused_when_it_is_read_again(directory: Path) -> None:
    """A start may read a pipe, as in `-f <(envsubst < nixy.toml)`; the daemon must not wait."""
    os.mkfifo(directory / "nixy.toml")
    with pytest.raises(ConfigError, match=r"nixy\.toml: cannot be read again: it is not a regular"):
        load_again(directory / "nixy.toml", {})


def test_a_pipe_in_the_place_of_a_named_file_is_refused_without_opening_it(
    directory: Path,
) -> None:
    os.mkfifo(directory / "ca.pem")
    (directory / "nixy.toml").write_text(f'{NAMESPACE}tls_ca_file = "{directory}/ca.pem"\n')
    with pytest.raises(ConfigError, match="must be a regular file"):
        load(directory / "nixy.toml", {})


def test_a_file_that_is_not_there(directory: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(directory / "no.toml", {})
    message = f"{directory}/no.toml: cannot be read: No such file or directory"
    assert refused.value.problems == (message,)


def test_tls_needs_both_files_and_they_must_be_there(directory: Path) -> None:
    (directory / "key.pem").touch()
    text = 'port_use_tls = true\nport_tls_certfile = "cert.pem"\n'
    assert problems(text + NAMESPACE, directory) == (
        "nixy.toml: port_use_tls = true: needs port_tls_keyfile, the path of a file",
        (
            'nixy.toml: port_tls_certfile = "cert.pem": must be a readable file: '
            "No such file or directory"
        ),
    )
    (directory / "cert.pem").touch()
    read(text + 'port_tls_keyfile = "key.pem"' + NAMESPACE, directory)


@pytest.mark.parametrize("name", ["no.pem", ".", "a\\u0000b"])
def test_certificate_authorities_must_be_readable_files(name: str, directory: Path) -> None:
    text = f'nginxplusapi_ca_file = "{name}"' + NAMESPACE + f'tls_ca_file = "{name}"'
    assert [problem.partition(" = ")[0] for problem in problems(text, directory)] == [
        "nixy.toml: nginxplusapi_ca_file",
        'nixy.toml: namespace "stage1": tls_ca_file',
    ]


def test_files_are_checked_whatever_else_is_broken(directory: Path) -> None:
    text = '[[namespaces]]\ndrove = []\ntls_ca_file = "no.pem"'
    missing, unreadable = problems(text, directory)
    assert "name: is missing" in missing
    assert 'tls_ca_file = "no.pem": must be a readable file' in unreadable


def test_a_socket_that_is_not_there_yet_is_only_a_warning(
    directory: Path, short_directory: Path
) -> None:
    path = short_directory / "admin.sock"
    text = f'proxy_platform = "haproxy"\nhaproxysocketaddr = "{path}"' + NAMESPACE
    message = f'nixy.toml: haproxysocketaddr = "{path}": does not exist yet; '
    loaded = read(text, directory)
    assert loaded.warnings == ()
    assert [without_line(notice.text) for notice in loaded.waiting] == [
        message + "the gateway waits until HAProxy creates it"
    ]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        assert read(text, directory).waiting == ()
