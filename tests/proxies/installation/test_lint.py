"""What passes a proxy's check and loses requests is found; the shipped templates are free of it."""

from pathlib import Path

import pytest
from tests.templates.serving import Shipped, app, topology

from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.haproxy import lint as haproxy
from drove_gateway.proxies.installation.lint import Lint, duration
from drove_gateway.proxies.nginx import lint as nginx
from drove_gateway.proxies.nginx.lua.configuration import LOG_CALL
from drove_gateway.templates import NAMES

MARK = "# drove-gateway: generation http://127.0.0.1:6081/generation\n"
GOOD_HAPROXY = f"""{MARK}
global
    hard-stop-after 10m
defaults
    option redispatch 1
    retry-on conn-failure
    http-reuse safe
    default-server init-addr last,libc,none
backend web
    server one app.dc.local:80 check
    server two 10.0.0.1:80
"""
GOOD_NGINX = f"""{MARK}
worker_shutdown_timeout 10m;
http {{
    proxy_connect_timeout 2s;
    proxy_next_upstream error timeout;
    upstream web {{
        server 10.0.0.1:80 max_fails=0;
        server 10.0.0.2:80 down;
    }}
    server {{
        location / {{
            proxy_pass http://web;
        }}
    }}
}}
"""
KINDS: dict[str, tuple[Lint, str]] = {
    "haproxy": (haproxy.lint, GOOD_HAPROXY),
    "nginx": (nginx.lint, GOOD_NGINX),
}


@pytest.mark.parametrize("kind", KINDS)
def test_good_configuration_has_no_finding(kind: str) -> None:
    lint, good = KINDS[kind]
    assert lint(good) == ()


@pytest.mark.parametrize(
    ("kind", "line", "instead", "message"),
    [
        ("haproxy", MARK, "\n", "generation URL"),
        ("haproxy", "option redispatch 1", "", "other servers are left"),
        ("haproxy", "conn-failure", "conn-failure empty-response", "`retry-on empty-response`"),
        ("haproxy", "http-reuse safe", "http-reuse always", "may just be closing"),
        ("haproxy", "check", "check on-marked-down shutdown-sessions", "ends running requests"),
        ("haproxy", "hard-stop-after 10m", "hard-stop-after 5s", "`hard-stop-after 5s`"),
        ("haproxy", "hard-stop-after 10m", "hard-stop-after 5000", "`hard-stop-after 5000`"),
        ("haproxy", "default-server init-addr", "# default-server init-addr", "app.dc.local"),
        ("nginx", MARK, "\n", "generation URL"),
        ("nginx", "timeout 10m", "timeout 5", "`worker_shutdown_timeout 5`"),
        ("nginx", "error timeout", "error non_idempotent", "POST"),
        ("nginx", " max_fails=0", "", "without `max_fails=0`"),
        ("nginx", "proxy_connect_timeout 2s;", "", "waits 60 s"),
    ],
)
def test_line_that_loses_requests_is_found(
    kind: str, line: str, instead: str, message: str
) -> None:
    lint, good = KINDS[kind]
    assert good.count(line) == 1
    changed = good.replace(line, instead)

    (finding,) = lint(changed)

    assert message in finding.message


def test_finding_names_its_line() -> None:
    text = GOOD_NGINX.replace("error timeout", "error non_idempotent")

    (finding,) = nginx.lint(text)

    assert finding.line is not None
    assert "non_idempotent" in text.splitlines()[finding.line - 1]


def test_retries_without_those_that_change_something_are_accepted() -> None:
    text = GOOD_HAPROXY.replace(
        "conn-failure", "empty-response\n    http-request disable-l7-retry if METH_POST"
    )
    assert haproxy.lint(text) == ()


@pytest.mark.parametrize(
    ("directive", "found"),
    [
        ("log_by_lua_block { ngx.log(ngx.ERR, '}') }", True),
        ("log_by_lua_file /etc/nginx/log.lua;", True),
        (f"log_by_lua_block {{\n{LOG_CALL}\nmeter()\n}}", False),
        ("# log_by_lua_file /etc/nginx/log.lua;", False),
        ("access_by_lua_file /etc/nginx/access.lua;", False),
    ],
)
def test_a_log_phase_that_hides_requests_from_the_lua_balancer_is_found(
    directive: str, found: bool
) -> None:
    balancer = f"http {{\n    log_by_lua_block {{ {LOG_CALL} }}"
    text = GOOD_NGINX.replace("http {", balancer).replace("proxy_pass", f"{directive}\nproxy_pass")

    findings = nginx.lint(text)

    named = f"`{directive.partition(' ')[0]}` replaces"
    assert [each.message.startswith(named) for each in findings] == [True] * found
    assert nginx.lint(text.replace(balancer, "http {")) == ()


def test_a_finding_is_reported_once_for_many_servers() -> None:
    server = "        server 10.0.0.1:80 max_fails=0;\n"
    text = GOOD_NGINX.replace(server, "        server 10.0.0.1:80;\n" * 50)
    assert len(nginx.lint(text)) == 1


def test_a_line_with_nothing_but_a_semicolon_is_passed_over() -> None:
    """As in a program in Lua that a template holds."""
    assert nginx.lint(f"{GOOD_NGINX};\n  ;;  # done\n") == ()


@pytest.mark.parametrize("name", NAMES)
async def test_shipped_template_has_no_finding(name: str, tmp_path: Path) -> None:
    kind = name.partition("-")[0]
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho nginx/1.31.0 HAProxy version 3.4.0\n")
    program.chmod(0o755)
    desired = topology(app("web.local", Host("ex.dc.local", 31000, "http"), tag="colour"))

    text = await Shipped(name, program, tmp_path, 8080, 6081).write(desired)

    assert KINDS[kind][0](text) == ()


@pytest.mark.parametrize(
    ("value", "unit", "seconds"),
    [
        ("10m", "s", 600),
        ("5", "s", 5),
        ("5000", "ms", 5),
        ("1m30s", "s", None),
        ("$x", "s", None),
        ("9" * 400, "ms", None),
    ],
)
def test_durations_of_proxies_are_understood(value: str, unit: str, seconds: float | None) -> None:
    assert duration(value, unit) == seconds
