"""The little of NGINX's configuration language that the stand-in has to understand.

Blocks and directives are read for their form; of their meaning only upstreams, `location = PATH {
return 200 TEXT; }` and `resolver` count.
"""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:[^\s{};"']|\$\{)+"""
)


class ConfError(Exception):
    """What `nginx -t` prints for a configuration that it refuses."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.text = text
        self.line = line


@dataclass
class Directive:
    """`name args…;` or `name args… { children }`."""

    name: str
    args: list[str]
    line: int
    children: list["Directive"] | None = None


@dataclass
class UpstreamConf:
    """An upstream as it is configured. `servers` are (address, parameters)."""

    name: str
    zone: str = ""
    state: str = ""
    method: str = ""
    servers: list[tuple[str, list[str]]] = field(default_factory=list)


@dataclass
class Conf:
    """A configuration that passed the check."""

    upstreams: dict[str, UpstreamConf]
    answers: dict[str, str]
    resolver: bool


def parse(text: str) -> Conf:
    """Read a configuration. Raises ConfError where NGINX Plus would refuse it."""
    conf = Conf({}, {}, resolver=False)
    _walk(_blocks(_tokens(text)), conf)
    return conf


def _tokens(text: str) -> list[tuple[str, int]]:
    tokens, position, line = [], 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConfError(f'unexpected "{text[position]}"', line)
        token = match.group()
        if not token.isspace() and not token.startswith("#"):
            tokens.append((token, line))
        line += token.count("\n")
        position = match.end()
    return tokens


def _blocks(tokens: list[tuple[str, int]]) -> list[Directive]:
    stack: list[list[Directive]] = [[]]
    words: list[tuple[str, int]] = []
    for token, line in tokens:
        if token == ";":
            if not words:
                raise ConfError('unexpected ";"', line)
            stack[-1].append(_directive(words))
            words = []
        elif token == "{":
            if not words:
                raise ConfError('unexpected "{"', line)
            block = _directive(words)
            block.children = []
            stack[-1].append(block)
            stack.append(block.children)
            words = []
        elif token == "}":
            if words or len(stack) == 1:
                raise ConfError('unexpected "}"', line)
            stack.pop()
        else:
            words.append((token, line))
    if words or len(stack) > 1:
        raise ConfError('unexpected end of file, expecting ";" or "}"', tokens[-1][1])
    return stack[0]


def _directive(words: list[tuple[str, int]]) -> Directive:
    (name, line), *rest = words
    return Directive(name, [word.strip("\"'") for word, _ in rest], line)


def _walk(directives: list[Directive], conf: Conf) -> None:
    for directive in directives:
        if directive.name == "upstream" and directive.children is not None:
            if directive.args[0] in conf.upstreams:
                raise ConfError(f'duplicate upstream "{directive.args[0]}"', directive.line)
            conf.upstreams[directive.args[0]] = _upstream(directive)
        elif directive.name == "resolver":
            conf.resolver = True
        elif directive.name == "location" and directive.args[0] == "=" and directive.children:
            for inner in directive.children:
                if inner.name == "return" and inner.args[0] == "200":
                    conf.answers[directive.args[1]] = inner.args[1]
        if directive.children and directive.name != "upstream":
            _walk(directive.children, conf)


def _upstream(block: Directive) -> UpstreamConf:
    upstream = UpstreamConf(block.args[0])
    for directive in block.children or []:
        if directive.name == "zone":
            upstream.zone = directive.args[0]
        elif directive.name == "state":
            upstream.state = directive.args[0]
        elif directive.name == "server":
            upstream.servers.append((directive.args[0], directive.args[1:]))
        elif directive.name in {"hash", "random", "ip_hash", "least_conn", "least_time"}:
            upstream.method = directive.name
        elif directive.name not in {
            "keepalive",
            "keepalive_timeout",
            "keepalive_requests",
            "queue",
        }:
            raise ConfError(f'unknown directive "{directive.name}"', directive.line)
    if upstream.state and upstream.servers:
        raise ConfError('"state" is incompatible with "server"', block.line)
    if upstream.state and not upstream.zone:
        raise ConfError('"state" requires "zone"', block.line)
    if not upstream.servers and not upstream.zone:
        raise ConfError(f'no servers are inside upstream in "{upstream.name}"', block.line)
    return upstream
