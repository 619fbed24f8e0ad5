"""Which parts of an application may go into a proxy's configuration. Pure.

Drove checks neither vhosts nor tags ("Drove's controllers": free text), and templates print them
into configuration files. So only what is named here passes; the rest is left out and reported:

- The **vhost** is a DNS name, as `model.spelling` has it. An invalid vhost costs the app.
- A **host** is a DNS name or an address, as `model.spelling` has it.
- A **port** is 1 to 65535, its **type** http, https, tcp or udp. Host and port are listed once.
- **Tags**: see `TAG_REFUSES`. An invalid tag costs that tag only, unless it is the routing tag.
- The **routing tag**'s value becomes part of a backend's name, so it is letters, digits, and
  ``_ . : -``, 128 at most, without a hyphen in front. A bad value costs the app its group: the app
  serves its vhost, but no group, so that it is not given the traffic of another app's group.
"""

import re
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from drove_gateway.model.spelling import PORT_TYPES, valid_host, valid_vhost
from drove_gateway.model.vocabulary import AppEndpoints, Host, Rejection, Tags

LONGEST_TAG = 1024
LONGEST_SHOWN = 80

TAG_REFUSES = "\"'`\\;{}$#"
"""Characters that no tag's key or value has.

Neither has control characters, line breaks, blanks other than the space, or more than
`LONGEST_TAG` characters; none starts like an option (``-f``) or opens a HAProxy expression
(``%[``). Paths, header names, lists with commas or spaces, and regular expressions without ``$``
pass. Printed between double quotes a value is therefore exactly one word to NGINX and to HAProxy.
Printed bare it can be several words, but cannot end the directive, the line or the block.
"""

_Reject: TypeAlias = Callable[[str, str, str], None]

_TAG_REASON = (
    f"a tag is printable, has none of {' '.join(TAG_REFUSES)} or %[, does not start like an "
    f"option and is not longer than {LONGEST_TAG}; the tag is left out"
)
_GROUP_REASON = (
    "the routing tag must be letters, digits, _ . : - and 128 at most; the app serves its vhost "
    "without a group"
)
_group = re.compile(r"[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,127}").fullmatch
_refused_in_tag = re.compile(rf"[{re.escape(TAG_REFUSES)}]|%\[|\A-[^0-9]").search


class ValidatedApp(msgspec.Struct, frozen=True):
    """What is left of an app. `vhost` is empty where the app as a whole cannot be used.

    `group` is the lower-case value of the routing tag, empty without one, None if it is invalid.
    """

    vhost: str
    group: str | None
    hosts: tuple[Host, ...]
    tags: Tags
    rejected: tuple[Rejection, ...]


def valid_app(namespace: str, source: AppEndpoints, routing_tag: str = "") -> ValidatedApp:
    """`source` without what is invalid, and a rejection for each thing left out.

    The source's own tuple and mapping are returned where nothing had to be changed. Costs less
    than a microsecond a host when all is well.
    """
    rejected: list[Rejection] = []

    def reject(subject: str, value: str, reason: str) -> None:
        rejected.append(Rejection(namespace, shown(source.app_id), subject, shown(value), reason))

    vhost = source.vhost if valid_vhost(source.vhost) == source.vhost else ""
    if not vhost:
        reject("vhost", source.vhost, "not a DNS name; the app is left out")
    value = source.tags.get(routing_tag, "") if routing_tag else ""
    group = value.lower() if not value or _group(value) else None
    if group is None:
        reject("tag", f"{routing_tag}={value}", _GROUP_REASON)
    hosts = _valid_hosts(source.hosts, reject)
    tags = _valid_tags(source.tags, reject)
    return ValidatedApp(vhost, group, hosts, tags, tuple(rejected))


def valid_tag(text: str) -> bool:
    """Whether `text` may be a tag's key or value, as `TAG_REFUSES` says."""
    return len(text) <= LONGEST_TAG and text.isprintable() and not _refused_in_tag(text)


def shown(value: str) -> str:
    """Return `value` for a log line: printable, `LONGEST_SHOWN` characters at most.

    What cannot be printed is escaped, since it may be the reason for which a value is left out.
    """
    text = repr(value[:LONGEST_SHOWN])[1:-1]
    if len(value) <= LONGEST_SHOWN and len(text) <= LONGEST_SHOWN:
        return text
    return text[: LONGEST_SHOWN - 1] + "…"


def _valid_hosts(hosts: tuple[Host, ...], reject: _Reject) -> tuple[Host, ...]:
    addresses = {(host.host, host.port) for host in hosts}
    if len(addresses) == len(hosts) and all(map(_is_valid, hosts)):
        return hosts
    kept: dict[tuple[str, int], Host] = {}
    for host in hosts:
        if _is_valid(host):
            kept.setdefault((host.host, host.port), host)
        else:
            reject(*_problem(host))
    return tuple(kept.values())


def _is_valid(host: Host) -> bool:
    return (
        valid_host(host.host) == host.host != ""
        and 0 < host.port < 65536
        and host.port_type in PORT_TYPES
    )


def _problem(host: Host) -> tuple[str, str, str]:
    """Return what is invalid of `host`: the subject, the value and the reason."""
    if valid_host(host.host) != host.host or not host.host:
        return "host", host.host, "neither a host name nor an IP address of a server"
    if not 0 < host.port < 65536:
        return "port", f"{host.host}:{host.port}", "not a port; ports are 1 to 65535"
    return "port", host.port_type, "not a port type; those are http, https, tcp and udp"


def _valid_tags(tags: Tags, reject: _Reject) -> Tags:
    bad = [(key, value) for key, value in tags.items() if not _valid_pair(key, value)]
    if not bad:
        return tags
    for key, value in bad:
        reject("tag", f"{key}={value}", _TAG_REASON)
    left_out = {key for key, _ in bad}
    return {key: value for key, value in tags.items() if key not in left_out}


def _valid_pair(key: str, value: str) -> bool:
    return bool(key) and valid_tag(key) and valid_tag(value)
