"""The settings from nixy.toml and the environment. Attribute names are the keys.

Each key is declared once, in the class of its group. The reference, the JSON schema and the error
messages are generated from these declarations.
"""

from typing import Annotated

from pydantic import Field

from drove_gateway.config.general import General, GeneralBeyond
from drove_gateway.config.haproxy import Haproxy, HaproxyBeyond
from drove_gateway.config.namespace import NamespaceSettings
from drove_gateway.config.nginx import Nginx, NginxBeyond
from drove_gateway.config.template_table import TemplateTable

__all__ = ["NamespaceSettings", "Settings"]


class Settings(TemplateTable, HaproxyBeyond, NginxBeyond, GeneralBeyond, Haproxy, Nginx, General):
    """The whole configuration, frozen; equal files give equal settings.

    `load` returns settings with every rule checked. If they are created directly, as in tests, only
    the rules of single keys are checked. (The groups are listed from last to first, because the
    order of fields follows the method resolution order backwards.)
    """

    namespaces: Annotated[tuple[NamespaceSettings, ...], Field(strict=False)] = Field(
        default=(), description="The Drove clusters, one `[[namespaces]]` table each."
    )
