"""What of an application a proxy's configuration may name. Pure.

Drove checks neither vhosts nor tags ("Drove's controllers": free text), and templates print them
into configuration files. So only what is named here passes; the rest is left out and told:

- A **vhost** is a DNS name: labels of letters, digits, underscores and inner hyphens, 63 bytes a
  label, 253 in all. It is lower-cased and loses a trailing dot. No wildcard (it would take other
  apps' traffic, and HAProxy refuses ``*`` in a name), no port, no regular expression. No label
  starts with a hyphen, so that none can be read as an option. An invalid vhost costs the app.
- A **host** is such a name (case kept), an IPv4 address, or an IPv6 address, which is written in
  its shortest form without brackets. No zone, nothing unspecified (HAProxy takes ``0.0.0.0`` as
  "where the client wanted to go") or multicast, no numbers that only look like an address.
- A **port** is 1 to 65535, its **type** http, https, tcp or udp. Host and port are listed once.
- **Tags**: see `TAG_REFUSES`. An invalid tag costs that tag only, unless it is the routing tag.
- The **routing tag**'s value becomes part of a backend's name, so it is letters, digits, and
  ``_ . : -``, 128 at most, without a hyphen in front. A bad one costs the app: without its group
  it would be given the traffic of the vhost's other apps.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TypeAlias

import msgspec

from drove_gateway.model.vocabulary import AppEndpoints, Host, Rejection, Tags

PORT_TYPES = frozenset({"http", "https", "tcp", "udp"})
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
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_name = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*").fullmatch
_common_ipv4 = re.compile(
    rf"(?:22[0-3]|2[01][0-9]|1[0-9][0-9]|[1-9][0-9]?)(?:\.{_OCTET}){{3}}"
).fullmatch
_number_like = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?").fullmatch
_group = re.compile(r"[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,127}").fullmatch
_refused_in_tag = re.compile(rf"[{re.escape(TAG_REFUSES)}]|%\[|\A-[^0-9]").search


class ValidatedApp(msgspec.Struct, frozen=True):
    """What is left of an app. `vhost` is empty where the app as a whole cannot be used."""

    vhost: str
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

    vhost = valid_vhost(source.vhost)
    if not vhost:
        reject("vhost", source.vhost, "not a DNS name; the app is left out")
    group = source.tags.get(routing_tag, "") if routing_tag else ""
    if group and not _group(group):
        vhost = ""
        reject(
            "tag",
            f"{routing_tag}={group}",
            "the routing tag must be letters, digits, _ . : - and 128 at most; the app is left out",
        )
    hosts = _valid_hosts(source.hosts, reject)
    tags = _valid_tags(source.tags, reject)
    return ValidatedApp(vhost, hosts, tags, tuple(rejected))


def valid_vhost(text: str) -> str:
    """`text` as a vhost: lower-case, without a trailing dot; empty where it is not a DNS name."""
    name = text.removesuffix(".")
    return name.lower() if _name(name) else ""


@lru_cache(maxsize=1 << 15)
def valid_host(text: str) -> str:
    """`text` as a host name or an IP address; empty where it is neither."""
    if _common_ipv4(text):
        return text
    if ":" in text:
        return _ipv6(text)
    if _number_like(text):
        return _uncommon_ipv4(text)
    return text if _name(text.removesuffix(".")) else ""


def valid_tag(text: str) -> bool:
    """Whether `text` may be a tag's key or value, as `TAG_REFUSES` says."""
    return len(text) <= LONGEST_TAG and text.isprintable() and not _refused_in_tag(text)


def shown(value: str) -> str:
    """`value` fit for a log line: one line, printable, `LONGEST_SHOWN` characters at most."""
    text = repr(value[:LONGEST_SHOWN])[1:-1]
    if len(value) <= LONGEST_SHOWN and len(text) <= LONGEST_SHOWN:
        return text
    return text[: LONGEST_SHOWN - 1] + "…"


def _valid_hosts(hosts: tuple[Host, ...], reject: _Reject) -> tuple[Host, ...]:
    if all(map(_flawless, hosts)) and len({(one.host, one.port) for one in hosts}) == len(hosts):
        return hosts
    kept: dict[tuple[str, int], Host] = {}
    for one in hosts:
        valid = _valid_endpoint(one, reject)
        if valid is not None:
            kept.setdefault((valid.host, valid.port), valid)
    return tuple(kept.values())


def _flawless(one: Host) -> bool:
    return (
        valid_host(one.host) == one.host != ""
        and 0 < one.port < 65536
        and one.port_type in PORT_TYPES
    )


def _valid_endpoint(one: Host, reject: _Reject) -> Host | None:
    host = valid_host(one.host)
    if not host:
        reject("host", one.host, "neither a host name nor an IP address of a server")
        return None
    if not 0 < one.port < 65536:
        reject("port", f"{one.host}:{one.port}", "not a port; ports are 1 to 65535")
        return None
    port_type = one.port_type.lower()
    if port_type not in PORT_TYPES:
        reject("port", one.port_type, "not a port type; those are http, https, tcp and udp")
        return None
    return Host(host, one.port, port_type)


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


def _uncommon_ipv4(text: str) -> str:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return ""
    return "" if address.is_unspecified or address.is_multicast else str(address)


def _ipv6(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return ""
    number = int(address)
    if address.scope_id is not None or number == 0 or number >> 120 == 0xFF:
        return ""
    return str(address)
