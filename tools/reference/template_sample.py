"""The data, clock and environment that the examples of the reference are rendered with."""

from collections.abc import Callable, Mapping
from datetime import timedelta, timezone
from typing import Final

import msgspec

from drove_gateway.config import Settings
from drove_gateway.gotemplate import Template
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions

_STABLE = Host("10.0.0.1", 31001, "http")
_CANARY = Host("2001:db8::5", 31002, "https")
_TAGS = {"team": "payments", "environment": "stable"}

_TOPOLOGY: Final = Topology(
    namespaces={
        "stage1": Namespace(
            "drove.example.com", Leader("http://ctrl1:10000", "ctrl1", 10000), "environment"
        )
    },
    apps={
        "api.example.com": App(
            id="api.example.com",
            vhost="api.example.com",
            hosts=(_STABLE, _CANARY),
            tags=_TAGS,
            groups={
                "stable": HostGroup((_STABLE,), _TAGS),
                "canary": HostGroup((_CANARY,), {**_TAGS, "environment": "canary"}),
            },
            routing_tag_key="environment",
        ),
        "web.example.com": App("web.example.com", "web.example.com", (), {}, {}, "environment"),
    },
)

DATA: Final = msgspec.structs.replace(
    context(
        _TOPOLOGY,
        Settings(
            proxy_platform="haproxy",
            haproxysocketaddr="/run/haproxy/admin.sock",
            haproxy_add_server_attributes_string="check inter 2s",
            template={"PROXY_HTTP_PORT": "8080"},
        ),
        "edge-1",
    ),
    generation="0123456789abcdef",
)

ENVIRON: Final[Mapping[str, str]] = {"DC": "blr1"}

VERSION: Final = (3, 2, 4)

_MOMENT: Final = GoTime(
    1_795_352_254_920_249_000,
    timezone(timedelta(hours=5, minutes=30), "IST"),
)


def functions() -> Mapping[str, Callable[..., object]]:
    """The gateway's template functions, with the fixed clock and environment, for HAProxy 3.2.4."""

    def datetime() -> GoTime:
        return _MOMENT

    def has_ipv6() -> bool:
        return True

    def files(directory: str, ending: str) -> list[str]:
        return ["_.example.com", "web.example.org"] if ending == ".pem" and directory else []

    return {
        **template_functions(ENVIRON, VERSION),
        "datetime": datetime,
        "hasIPv6": has_ipv6,
        "files": files,
    }


def rendered(template: str) -> str:
    """Render `template` with the data. Raises TemplateError."""
    return Template(template, name="example", funcs=functions()).render(DATA)
