"""What `check` says of a configuration: what is dynamic, and what needs a reload."""

import pytest

from drove_gateway.proxies.nginx.lua.configuration import server_part, upstream_part
from drove_gateway.proxies.nginx.lua.dynamics import dynamics
from drove_gateway.proxies.nginx.lua.vhost_blocks import read_vhosts, without_runtime

_VHOST = """\
    upstream {name} {{
        {upstream}
        keepalive 8;
    }}
    server {{
        listen 80{default};
        server_name {server_name};
        {server}
        {more}
        location / {{
            proxy_pass http://{name};
        }}
    }}
"""


def vhost(name: str, more: str = "") -> str:
    """Return the blocks of a vhost."""
    return _VHOST.format(
        name=name,
        upstream=upstream_part(name),
        default="",
        server_name=name,
        server=server_part(name),
        more=more,
    )


DEFAULT = _VHOST.format(
    name="any_vhost",
    upstream=upstream_part("*"),
    default=" default_server",
    server_name='""',
    server=server_part("*"),
    more="",
)


def test_vhosts_in_the_form_of_the_default_server_are_found() -> None:
    text = DEFAULT + vhost("a.test") + vhost("b.test", more="deny all;")
    assert list(read_vhosts(text).vhosts) == ["a.test"]


SHARED = """\
    server {{
        listen 80;
        server_name vhost@listed;
        {names}
        {server}
        {more}
        location / {{
            proxy_pass http://any_vhost;
        }}
    }}
"""


def shared(*names: str, more: str = "") -> str:
    """Return a server block that lists vhosts."""
    lines = "\n        ".join(f"server_name {name};" for name in names)
    return SHARED.format(names=lines, server=server_part("$host"), more=more)


def test_vhosts_that_share_a_server_block_are_found() -> None:
    text = DEFAULT + shared("a.test", "b.test", "*.c.test") + vhost("d.test", more="deny all;")
    assert list(read_vhosts(text).vhosts) == ["a.test", "b.test"]
    assert not read_vhosts(DEFAULT + shared("a.test", more="deny all;")).vhosts


def test_only_names_that_the_default_server_may_serve_leave_a_shared_block() -> None:
    text = DEFAULT + shared("a.test", "b.test")
    assert without_runtime(text) == without_runtime(DEFAULT + shared("c.test"))
    assert without_runtime(text) == without_runtime(DEFAULT + shared())
    covered = vhost("*.test", more="deny all;")
    assert without_runtime(text + covered) != without_runtime(DEFAULT + shared() + covered)


def test_a_vhost_that_is_listed_twice_keeps_its_place() -> None:
    text = DEFAULT + shared("a.test") + vhost("a.test")
    assert not read_vhosts(text).vhosts


def test_a_text_without_them_is_the_same_whichever_there_are() -> None:
    private = vhost("b.test", more="deny all;")
    text = DEFAULT + vhost("a.test") + private
    assert without_runtime(text) == without_runtime(DEFAULT + private + vhost("c.test"))
    assert without_runtime(text) != without_runtime(DEFAULT + vhost("a.test"))
    assert "deny all;" in without_runtime(text)


@pytest.mark.parametrize("pattern", ["*.test", ".test", "a.*", "~^a", '"~^a"'])
def test_a_vhost_under_a_wildcard_needs_its_own_blocks(pattern: str) -> None:
    assert not read_vhosts(DEFAULT + vhost("a.test") + vhost(pattern)).vhosts


def test_a_vhost_that_mentions_its_name_elsewhere_needs_its_own_blocks() -> None:
    text = DEFAULT + vhost("a.test", more="add_header X-Vhost a.test;")
    assert not read_vhosts(text).vhosts


def test_what_is_dynamic_and_what_needs_a_reload_is_named() -> None:
    fixed = "    upstream leader@x {\n        server 10.0.0.1:80;\n    }\n"
    notes = dynamics(DEFAULT + fixed + vhost("a.test") + vhost("b.test", more="deny all;"))
    assert notes == (
        "2 of 3 upstreams are dynamic: servers change without a reload",
        "leader@x: changes need a reload, without a luaUpstream line",
        (
            "b.test: a reload at once when it comes, its blocks are not in the form of the default "
            "server's, or a wildcard name covers it"
        ),
        "1 vhost in the form of the default server: served at once when it comes",
    )


def test_each_vhost_that_shares_a_server_block_counts() -> None:
    notes = dynamics(DEFAULT + shared("a.test", "b.test") + vhost("c.test", more="deny all;"))
    assert notes[0].startswith("3 of 3 upstreams are dynamic")
    assert notes[-1].startswith("2 vhosts in the form of the default server")


def test_a_template_without_a_default_server_needs_a_reload_for_each_new_vhost() -> None:
    assert dynamics(vhost("a.test"))[-1] == (
        'each new vhost needs a reload: no default server has the line luaServer "*"'
    )


def test_nginx_without_the_balancer_has_no_notes() -> None:
    assert dynamics("    upstream a.test {\n        server 10.0.0.1:80;\n    }\n") == ()
