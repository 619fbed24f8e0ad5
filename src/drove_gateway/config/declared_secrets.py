"""What settings and lines of a proxy's configuration declare to be secret. Pure.

The rule is bounded: a text is secret where its name, its directive or its place in a URL says so,
on the same line. Anything else that a template writes out is shown as it is.
"""

import re
from collections.abc import Iterator

HIDDEN = "***"
"""Shown instead of a secret that is set; a secret that is not set is shown as empty text."""

_WORD = (
    r"pass(?:word|wd|phrase)|secret|token|credentials?|authorization|api[-_]?key|private[-_]?key"
)
_SECRET_NAME = re.compile(
    rf"{_WORD}|pass|private|(?:^|[_-])(?:auth|pw|pwd)(?:$|[_-])", re.IGNORECASE
)
_HEADER = r"(?=x[-_][\w-]*(?:auth|key|signature)|(?:set-)?cookie(?![\w-]))[\w-]++"

# Headers whose values a configuration compares with words that everybody may know.
_PUBLIC = (
    r"(?:accept(?:-\w+)?|connection|content-type|host|method|origin|referer|upgrade|user-agent|"
    r"x-forwarded-\w+)"
)
_PUBLIC_VARIABLE = _PUBLIC.replace("-", "_")
# Of a sample expression, in characters; HAProxy's own limit for a word of a line is not much more.
_LONGEST_CONVERTERS = 500

# A text may come from a tenant and be long, so that each pattern has to read it in linear time:
# possessive quantifiers, and beginnings that are not in the middle of what they repeat.
_USER_IN_URL = re.compile(r"((?<![^\s\"'<>])(?>[^\s\"'<>]*?://))[^\s\"'<>:]*+:[^\s\"'<>]*(?=@)")
_QUERY_OF_URL = re.compile(rf"(?i)([?&;#](?=[\w.-]*(?:{_WORD}|sig|key|auth))[\w.-]*+=)[^&;#\s\"']+")
# The first group stays.
_DECLARED = (
    _USER_IN_URL,
    _QUERY_OF_URL,
    # HAProxy's userlists and `stats auth`, the options of curl in a reload command.
    re.compile(r"(?i)(\bstats[ \t]++auth[ \t]++[^\s:]*+:)\S+"),
    re.compile(r"((?<!\S)(?:-u|--user|--proxy-user)[ \t=]++[^\s:]*+:)\S+"),
    re.compile(r"(?i)(\b(?:basic|bearer|digest)[ \t]++)[\w+/=.~-]{6,}"),
    re.compile(
        r"(?i)(\bauthorization\b[\"')\]]*+(?:[ \t]*+[:=,][ \t]*+|[ \t]++))"
        r"(?!if\b|unless\b)\S.*"
    ),
    # `password X`, `set $api_key "X";`, `token=X`; a word before a dot is part of a host name.
    re.compile(
        rf"(?i)((?:(?<![\w.$-])|(?<=\.\$))(?!server_tokens\b)(?=[$\w-]*(?:{_WORD}))[$\w-]*+"
        r"[\"')\]]*+(?:[ \t]*+[:=!~]++[ \t]*+|[ \t]++))"
        r"(?![;{}]|if\b|unless\b|\*\*\*|-m\b)(?:\"[^\"\n]*\"|'[^'\n]*'|\S+)"
    ),
    re.compile(rf"(?i)(\b(?:[a-z_]*(?:set|add)[-_]header)[ \t]++\"?{_HEADER}\"?[ \t]++)\S.*"),
    re.compile(r"(?i)(\bsecure_link(?:_md5|_secret)[ \t]++)\S.*"),
    # What a header, a cookie or a parameter of a request is compared with.
    re.compile(
        rf"(?i)(\b(?:hdr|cook|cookie|urlp|url_param|body_param)(?:_\w+)?\((?!{_PUBLIC}[,)])"
        rf"[^()\s]++\)[^\s\]]{{0,{_LONGEST_CONVERTERS}}}+[ \t]++)"
        r"(?!-m[ \t]+found|if\b|unless\b|[}\]])[^}\n]*[^}\s]"
    ),
    re.compile(
        rf"(?i)(\$(?:http|cookie|arg)_(?!{_PUBLIC_VARIABLE}\b)\w++[ \t]*+"
        r"!?(?:=|~\*?)[ \t]*+)[^)\n]*"
    ),
)


# A shorter piece of a line is in many messages.
_SHORTEST_WORD = 3


def is_secret_name(name: str) -> bool:
    """Return whether the name of a variable says that its value is secret."""
    return bool(_SECRET_NAME.search(name))


def without_declared_secrets(text: str) -> str:
    """Return `text` with a mark in place of what its lines declare to be secret."""
    for declared in _DECLARED:
        text = declared.sub(rf"\g<1>{HIDDEN}", text)
    return text


def without_secrets_of(line: str, text: str) -> str:
    """Return `text`, which may quote pieces of `line`, without what `line` declares secret."""
    shown = without_declared_secrets(line)
    if shown == line:
        return text
    hidden = {word for word in _words(line) if word not in shown and len(word) >= _SHORTEST_WORD}
    for word in sorted(hidden, key=len, reverse=True):
        text = text.replace(word, HIDDEN)
    return text


def _words(line: str) -> Iterator[str]:
    for word in line.split():
        yield word
        yield from re.split(r"[\"'();:]+", word)


def without_credentials(address: str) -> str:
    """Return the address of a server without its user and password, query and fragment."""
    if re.search(r"[?#].*@", address):
        return HIDDEN
    _, at, host = address.rpartition("@")
    plain = re.split(r"[?#]", host, maxsplit=1)[0]
    query = host[len(plain) : len(plain) + 1]
    return f"{HIDDEN + at if at else ''}{plain}{query + HIDDEN if query else ''}"
