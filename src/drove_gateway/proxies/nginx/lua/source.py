"""The Lua code of the balancer as text that fits into an NGINX configuration."""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

# Each file needs those before it only.
_MODULES = (
    "json",
    "refusal",
    "address",
    "parameters",
    "upstream",
    "record",
    "choice",
    "store",
    "health",
    "running",
    "view",
    "socket",
    "file",
    "counters",
    "status",
    "bulk",
    "api",
    "balancer",
    "worker",
)
_HASH_LENGTH = 16


def module_source(name: str) -> str:
    """The source of one Lua module, `choice` for example."""
    return (files(__package__) / f"{name}.lua").read_text(encoding="utf-8")


@cache
def code() -> str:
    """Every module, ready for `require("drove_gateway.NAME")`, without comments and indentation.

    NGINX reads braces in Lua text itself, so that what it need not read is left out.
    """
    return "\n".join(
        f'package.preload["drove_gateway.{name}"] = function()\n{_compact(name)}\nend'
        for name in _MODULES
    )


@cache
def code_hash() -> str:
    """Identify the code: a running NGINX that reports another hash has another balancer."""
    return hashlib.sha256(code().encode()).hexdigest()[:_HASH_LENGTH]


def _compact(name: str) -> str:
    return "\n".join(_code_lines(module_source(name)))


def _code_lines(source: str) -> Iterator[str]:
    for line in source.splitlines():
        stripped = line.strip()
        if stripped and not stripped.startswith("--"):
            yield stripped
