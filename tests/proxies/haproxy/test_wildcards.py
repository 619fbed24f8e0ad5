"""Wildcard vhosts in the shipped templates: their backends' names, and what needs a reload."""

import pytest

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template
from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology
from drove_gateway.proxies.haproxy.backend_changes import HaproxyBackends
from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.names import Naming, vhost_of
from drove_gateway.proxies.haproxy.options import options
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.templates import shipped

TEMPLATES = ("haproxy", "haproxy-header-routing")
SETTINGS = Settings(proxy_platform="haproxy")
OPTIONS = options(SETTINGS, wildcards=True)
TEXTS = HaproxyBackends(OPTIONS, ConfigurationReader(OPTIONS.naming.is_ours))


def app(vhost: str, *groups: str) -> App:
    """A vhost whose groups have a host each: the untagged hosts, then `groups`."""
    hosts = {name: Host("10.0.0.1", 8000 + at, "http") for at, name in enumerate((vhost, *groups))}
    grouped = {name: HostGroup((host,), {}) for name, host in hosts.items()}
    return App(vhost, vhost, tuple(hosts.values()), {}, grouped, "colour" if groups else "")


def text(template: str, *apps: App) -> str:
    functions = dict(template_functions({}, None))
    desired = Topology({each.vhost: each for each in apps}, {})
    made = render(Template(shipped(template), funcs=functions), context(desired, SETTINGS, "lb1"))
    return made.text.replace(made.generation, "generation")


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("vhost", ["*.example.com", ".example.com", "*.a_b.example.com"])
def test_the_gateway_and_the_template_call_its_backends_alike(template: str, vhost: str) -> None:
    groups = ("blue", "green") if template.endswith("routing") else ()
    wildcard = app(vhost, *groups)
    naming = Naming(wildcards=True, routing_tag_suffix=bool(groups))
    assert set(naming.backends(wildcard)) <= set(TEXTS.backend_names(text(template, wildcard)))


@pytest.mark.parametrize("vhost", ["example.com", "*.example.com", ".example.com", "_"])
def test_the_name_of_a_backend_tells_its_vhost(vhost: str) -> None:
    (name,) = Naming(wildcards=True).backends(app(vhost))
    assert vhost_of(name) == vhost


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_wildcard_and_a_vhost_below_it_need_a_reload_and_no_others(template: str) -> None:
    """Until the frontend lists the vhost, the wildcard would get its requests."""
    wildcard, below = app("*.example.com"), app("web.example.com")
    before = text(template, wildcard)
    assert "example.com" in TEXTS.first_line(text(template), before)
    assert "web.example.com" in TEXTS.first_line(before, text(template, wildcard, below))
    assert "web.example.com" in TEXTS.first_line(text(template, wildcard, below), before)
    assert not TEXTS.first_line(before, text(template, wildcard, app("web.example.org")))


def test_the_order_of_wildcards_does_not_matter() -> None:
    """The longest is chosen by its length, however the names sort."""
    nested = ("*.b.example.com", "*.example.com", "*.a.b.example.com", ".c.example.com")
    rendered = text("haproxy", *map(app, nested))
    for vhost in nested:
        name = vhost.replace("*", ".")
        assert f"str({name}) if {{ var(txn.vhost) -m end -- {vhost.lstrip('*')} }}" in rendered
        assert f"!{{ var(txn.wildcard),length ge {len(name)} }}" in rendered
