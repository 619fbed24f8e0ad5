"""The one spelling of vhosts, hosts and port types inside the gateway. Pure.

Drove checks none of them ("Drove's controllers": free text). Whatever reads them, a controller's
response, the stored state, the settings, or a person's question, spells them by these functions
once; nothing changes the spelling afterwards. Text that is not valid keeps the form it came in,
so that messages show it as it was written; the topology leaves it out.

- A **vhost** is a DNS name: labels of letters, digits, underscores and inner hyphens, 63 bytes a
  label, 253 in all. It is lower-case and has no trailing dot. It may be a wildcard, ``*.`` or a
  dot in front of a name, which not every proxy serves; no port, no regular expression. No label
  starts with a hyphen, so that none can be read as an option.
- A **host** is such a name (case kept), an IPv4 address, or an IPv6 address, which is written in
  its shortest form, in brackets where it came in brackets. No zone, nothing unspecified (HAProxy
  takes ``0.0.0.0`` as "where the client wanted to go") or multicast, no numbers that only look like
  an address.
- A **port type** is http, https, tcp or udp.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import msgspec

from drove_gateway.model.vocabulary import AppEndpoints, Host

PORT_TYPES = frozenset({"http", "https", "tcp", "udp"})

# A shared object for each port type, instead of an object for each host.
_PORT_TYPES = {name: name for name in PORT_TYPES} | {name.upper(): name for name in PORT_TYPES}

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_name = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*").fullmatch
_vhost = re.compile(rf"(?=.{{1,253}}\Z)(?:\*?\.)?{_LABEL}(?:\.{_LABEL})*").fullmatch
_common_ipv4 = re.compile(
    rf"(?:22[0-3]|2[01][0-9]|1[0-9][0-9]|[1-9][0-9]?)(?:\.{_OCTET}){{3}}"
).fullmatch
_number_like = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?").fullmatch


def valid_vhost(text: str) -> str:
    """Return `text` in the spelling of vhosts, or nothing where it is not a DNS name."""
    name = text.removesuffix(".")
    return name.lower() if _vhost(name) else ""


def is_wildcard(vhost: str) -> bool:
    """Whether a valid vhost is `*.` or a dot in front of a name."""
    return vhost.startswith(("*", "."))


@lru_cache(maxsize=1 << 15)
def valid_host(text: str) -> str:
    """Return `text` in the spelling of hosts, or nothing where it is not valid."""
    if _common_ipv4(text):
        return text
    if ":" in text:
        return _ipv6(text)
    if _number_like(text):
        return _uncommon_ipv4(text)
    return text if _name(text.removesuffix(".")) else ""


def vhost_spelling(text: str) -> str:
    """Return `text` in the spelling of vhosts, or as it is where it is not a DNS name."""
    return valid_vhost(text) or text


def vhost_suffix_spelling(text: str) -> str:
    """Return the end of a vhost, such as ``.example.com``, in the spelling of vhosts."""
    return text.removesuffix(".").lower()


def host_spelling(text: str) -> str:
    """Return `text` in the spelling of hosts, or as it is where it is not valid."""
    # Of what is valid, only IPv6 addresses can be written in several ways.
    return (valid_host(text) or text) if ":" in text else text


def port_type_spelling(text: str) -> str:
    """Return `text` in the spelling of port types, or as it is where it is not a port type."""
    return _PORT_TYPES.get(text) or _PORT_TYPES.get(text.lower(), text)


def app_spelling(app: AppEndpoints) -> AppEndpoints:
    """Return `app` with its vhost and hosts in their spelling."""
    hosts = tuple(
        Host(host_spelling(host.host), host.port, port_type_spelling(host.port_type))
        for host in app.hosts
    )
    return msgspec.structs.replace(app, vhost=vhost_spelling(app.vhost), hosts=hosts)


def _uncommon_ipv4(text: str) -> str:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return ""
    return "" if address.is_unspecified or address.is_multicast else str(address)


def without_brackets(host: str) -> str:
    """Return a host without the brackets that an IPv6 address may have."""
    return host[1:-1] if host[:1] == "[" else host


def _ipv6(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        bare = _ipv6(text[1:-1]) if text[1:2] != "[" else ""
        return bare and f"[{bare}]"
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return ""
    number = int(address)
    if address.scope_id is not None or number == 0 or number >> 120 == 0xFF:
        return ""
    return str(address)
