"""Which form of backend names a template makes: VHOST, or VHOST, separator and group; wildcards.

Where `haproxy_backend_include_routing_tag_suffix` is not set, the names follow the template. So the
original's own template (one `backend {{$app.Vhost}}`) works with a `routing_tag`, and so does a
template that makes a backend of each group. The template is executed with a sample, since only that
shows which names it makes.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.vocabulary import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.proxies.haproxy.names import backend_part
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions

_VHOST = "vhost.invalid"
_WILDCARD = "*.vhost.invalid"
_GROUP = "group"


def with_backend_form(settings: Settings) -> Settings:
    """Return the settings with the form that the template makes, if they leave it open.

    It stays open where no template is used (`haproxy_reload_disabled`): then HAProxy's own backends
    show it. Without a `routing_tag` there is only one form.
    """
    known = settings.haproxy_backend_include_routing_tag_suffix is not None
    grouped = any(namespace.routing_tag for namespace in settings.namespaces)
    if known or not grouped or settings.haproxy_reload_disabled:
        return settings
    form = makes_groups(_source(settings), settings)
    return settings.model_copy(update={"haproxy_backend_include_routing_tag_suffix": form})


def serves_wildcards(settings: Settings) -> bool:
    """Whether the template has a backend for the vhost `*.example.com`: `..example.com`."""
    if settings.haproxy_reload_disabled:
        return False
    source = _source(settings)
    if '"*"' not in source:
        return False
    pattern = rf"^\s*backend\s+{re.escape(backend_part(_WILDCARD))}"
    try:
        return _makes(pattern, source, settings, {_WILDCARD: _app(_WILDCARD, "")})
    except TemplateError:
        return False


def _source(settings: Settings) -> str:
    path = Path(settings.haproxy_template)
    try:
        return path.read_text(errors="surrogateescape") if path.is_file() else ""
    except OSError:
        return ""


def makes_groups(source: str, settings: Settings) -> bool:
    """Whether the template `source` makes a backend of a group of hosts.

    A template that cannot be executed with the sample counts by whether it reads the groups.
    """
    tag = next(each.routing_tag for each in settings.namespaces if each.routing_tag)
    name = re.escape(f"{_VHOST}{settings.haproxy_backend_name_separator}{_GROUP}")
    asked = settings.model_copy(update={"haproxy_backend_include_routing_tag_suffix": True})
    pattern = rf"^\s*(backend|listen)\s+{name}(\s|$)"
    try:
        return _makes(pattern, source, asked, {_VHOST: _app(_VHOST, tag)})
    except TemplateError:
        return ".Groups" in source


def _makes(pattern: str, source: str, settings: Settings, apps: Mapping[str, App]) -> bool:
    """Whether the template makes a line of `apps` that matches. Raises TemplateError."""
    functions = dict(template_functions(os.environ, None))
    template = Template(source, name="t", delims=settings.delimiters, funcs=functions)
    text = template.render(context(_sample(settings, apps), settings, "sample"))
    return re.search(pattern, text, re.MULTILINE) is not None


def _app(vhost: str, tag: str) -> App:
    """A vhost with a default group and another."""
    hosts = (Host("192.0.2.1", 1, "http"), Host("192.0.2.2", 2, "http"))
    groups = {vhost: HostGroup(hosts[:1], {}), _GROUP: HostGroup(hosts[1:], {tag: _GROUP})}
    return App(vhost, vhost, hosts, {tag: _GROUP}, groups, tag)


def _sample(settings: Settings, apps: Mapping[str, App]) -> Topology:
    return Topology(
        apps=apps,
        namespaces={
            each.name: Namespace(each.leader_vhost, Leader(), each.routing_tag)
            for each in settings.namespaces
        },
    )
