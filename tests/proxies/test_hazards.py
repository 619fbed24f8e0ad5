"""What a proxy's configuration loses at reloads, and the certificates that it names."""

from pathlib import Path

import pytest

from drove_gateway.model.finding import FileExamination
from drove_gateway.proxies.haproxy import hazards as haproxy
from drove_gateway.proxies.nginx import hazards as nginx

CONFIG = Path("/etc/proxy/proxy.conf")


def of_haproxy(text: str) -> FileExamination:
    return haproxy.examine(text, CONFIG, None)


def found(examination: FileExamination) -> dict[str, tuple[str, ...]]:
    return {each.check: each.subjects for each in examination.findings if each.subjects}


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("defaults\n mode http\nfrontend a\n bind :80\n", ("frontend a",)),
        ("defaults\n option idle-close-on-response\nfrontend a\n bind :80\n", ()),
        ("defaults\nfrontend a\n option idle-close-on-response\nlisten b\n", ("listen b",)),
        (
            "defaults\n option idle-close-on-response\nlisten a\n no option idle-close-on-response",
            ("listen a",),
        ),
        ("defaults\nfrontend a\n mode tcp\n", ()),
        ("defaults x\n option idle-close-on-response\ndefaults y\nfrontend a from x\n", ()),
        (
            "defaults x\n option idle-close-on-response\ndefaults y\nfrontend a\n",
            ("frontend a",),
        ),
        (
            "defaults x\n option idle-close-on-response\ndefaults y from x\nfrontend a from y\n",
            (),
        ),
        ("defaults\nbackend b\n", ()),
        ("frontend a from\n", ("frontend a",)),
    ],
)
def test_frontends_that_close_keep_alive_connections_at_a_reload_are_found(
    text: str, sections: tuple[str, ...]
) -> None:
    assert found(of_haproxy(text)).get("idle_close_on_response", ()) == sections


def test_old_processes_without_a_limit_are_found() -> None:
    assert "hard_stop_after" in found(of_haproxy("global\n maxconn 5\n"))
    assert "hard_stop_after" not in found(of_haproxy("global\n hard-stop-after 10m\n"))


def test_haproxys_certificates_are_files_and_directories_relative_to_their_base() -> None:
    text = """
global
    crt-base /etc/certs
    ca-base /etc/authorities
frontend a
    bind :443 ssl crt a.pem crt /srv/all alpn h2
    bind :444 ssl crt @store/b
backend b
    server s 10.0.0.1:443 ssl verify required ca-file ca.pem
"""
    assert of_haproxy(text).certificates == (
        Path("/etc/certs/a.pem"),
        Path("/srv/all"),
        Path("/etc/authorities/ca.pem"),
    )


def test_an_nginx_that_cuts_keep_alive_connections_at_a_reload_is_found() -> None:
    examination = nginx.examine("events {} http { server { listen 80; } }", CONFIG, (1, 28, 0))

    assert found(examination) == {
        "keepalive_min_timeout": ("http",),
        "worker_shutdown_timeout": ("main",),
    }


def test_an_nginx_with_both_settings_has_no_hazard() -> None:
    text = "worker_shutdown_timeout 10m; events {} http { keepalive_min_timeout 10s; }"

    assert found(nginx.examine(text, CONFIG, (1, 28, 0))) == {}


def test_for_an_older_nginx_the_advice_says_which_version_is_needed() -> None:
    keepalive, _ = nginx.examine("http {}", CONFIG, (1, 22, 1)).findings

    assert "NGINX 1.22.1 cannot avoid it; from 1.27.4 on" in keepalive.advice


def test_a_file_that_another_includes_is_not_judged() -> None:
    assert nginx.examine("upstream a { server 10.0.0.1; }", CONFIG, None).findings == ()


def test_nginxs_certificates_are_known_unless_their_name_is_a_variable() -> None:
    text = """http { server { ssl_certificate tls/a.pem; ssl_certificate_key tls/a.key; }
    server { ssl_certificate /srv/$ssl_server_name.pem; } }"""

    assert nginx.examine(text, CONFIG, None).certificates == (Path("/etc/proxy/tls/a.pem"),)


@pytest.mark.parametrize("text", ["", "frontend", "global\ncrt", "http {", "{};", "\x00 \\"])
def test_broken_text_is_examined_without_an_error(text: str) -> None:
    of_haproxy(text)
    nginx.examine(text, CONFIG, None)
