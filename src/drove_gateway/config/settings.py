"""The settings: what nixy.toml and the environment come to. Attribute names are the keys.

Each key is declared once, in the class of its group; the reference, the JSON schema and the error
messages are made from these declarations.
"""

from typing import Annotated

from pydantic import Field

from drove_gateway.config.general import General, GeneralBeyond
from drove_gateway.config.haproxy import Haproxy, HaproxyBeyond
from drove_gateway.config.namespace import NamespaceSettings
from drove_gateway.config.nginx import Nginx, NginxBeyond

__all__ = ["NamespaceSettings", "Settings"]


class Settings(HaproxyBeyond, NginxBeyond, GeneralBeyond, Haproxy, Nginx, General):
    """The whole configuration, frozen; equal files give equal settings.

    `load` makes one with every rule checked. Made by hand, as tests do, only the rules of single
    keys are checked. (The groups stand from last to first, as the order of fields goes by the
    method resolution order, backwards.)
    """

    namespaces: Annotated[tuple[NamespaceSettings, ...], Field(strict=False)] = Field(
        default=(), description="The Drove clusters, one `[[namespaces]]` table each."
    )
