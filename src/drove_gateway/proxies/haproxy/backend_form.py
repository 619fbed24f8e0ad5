"""Which form of backend names a template makes: VHOST, or VHOST, separator and group.

Where `haproxy_backend_include_routing_tag_suffix` is not set, the names follow the template. So the
original's own template (one `backend {{$app.Vhost}}`) works with a `routing_tag`, and so does a
template that makes a backend of each group. The template is executed with a sample, since only that
shows which names it makes.
"""

import os
import re
from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.model.vocabulary import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions

_VHOST = "vhost.invalid"
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
    form = _makes_groups(settings)
    return settings.model_copy(update={"haproxy_backend_include_routing_tag_suffix": form})


def _makes_groups(settings: Settings) -> bool:
    path = Path(settings.haproxy_template)
    try:
        source = path.read_text(errors="surrogateescape") if path.is_file() else ""
    except OSError:
        return False
    return makes_groups(source, settings)


def makes_groups(source: str, settings: Settings) -> bool:
    """Whether the template `source` makes a backend of a group of hosts.

    A template that cannot be executed with the sample counts by whether it reads the groups.
    """
    asked = settings.model_copy(update={"haproxy_backend_include_routing_tag_suffix": True})
    functions = dict(template_functions(os.environ, None))
    try:
        template = Template(source, name="t", delims=settings.delimiters, funcs=functions)
        text = template.render(context(_sample(settings), asked, "sample"))
    except TemplateError:
        return ".Groups" in source
    name = re.escape(f"{_VHOST}{settings.haproxy_backend_name_separator}{_GROUP}")
    return re.search(rf"^\s*(backend|listen)\s+{name}(\s|$)", text, re.MULTILINE) is not None


def _sample(settings: Settings) -> Topology:
    """A vhost with a default group and another."""
    tag = next(each.routing_tag for each in settings.namespaces if each.routing_tag)
    hosts = (Host("192.0.2.1", 1, "http"), Host("192.0.2.2", 2, "http"))
    tags = {tag: _GROUP}
    groups = {_VHOST: HostGroup(hosts[:1], {}), _GROUP: HostGroup(hosts[1:], tags)}
    return Topology(
        apps={_VHOST: App(_VHOST, _VHOST, hosts, tags, groups, tag)},
        namespaces={
            each.name: Namespace(each.leader_vhost, Leader(), each.routing_tag)
            for each in settings.namespaces
        },
    )
