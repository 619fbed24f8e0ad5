"""How configurations are compared for the history: without generations, and without secrets."""

import re
from collections.abc import Iterator, Mapping

from pydantic import SecretStr

from drove_gateway.config import Settings
from drove_gateway.config.redact import HIDDEN
from drove_gateway.drove.secrets import Secrets
from drove_gateway.proxies.installation.before import without_generation
from drove_gateway.state.history_keeper import Texts

# A shorter value of the environment would be found in harmless text.
_SHORTEST = 6
_secret_name = re.compile(r"PASS|TOKEN|SECRET|CREDENTIAL|PRIVATE|API_?KEY", re.IGNORECASE).search
# What a template may write out itself: HAProxy's userlists and `stats auth`, headers with
# credentials, and URLs with a password. The first group stays.
_DIRECTIVES = (
    re.compile(r"(?i)\b((?:insecure-)?password[ \t]+)\S+"),
    re.compile(r"(?i)\b(stats[ \t]+auth[ \t]+[^\s:]*:)\S+"),
    re.compile(r"(?i)\b((?:proxy-)?authorization\b[\"']?[ \t:,]+)\S.*"),
    re.compile(
        r"(?i)\b((?:passwd|secret|token|api[-_]?key)\b[\"']?(?:[ \t]*[:=][ \t]*|[ \t]+))\S+"
    ),
    re.compile(r"(://[^/\s:@]*:)[^@\s/]+(?=@)"),
)


def configuration_texts(settings: Settings, environ: Mapping[str, str]) -> Texts:
    """Return how to compare the configurations of a gateway with these settings.

    Hidden are the settings' secrets in every encoding, values of the environment whose names say
    that they are secret, and what directives of the proxies declare to be a password.
    """
    secrets = Secrets((*_of_settings(settings), *_of_environment(environ)))

    def hide(text: str) -> str:
        text = secrets.hide(text)
        for directive in _DIRECTIVES:
            text = directive.sub(rf"\g<1>{HIDDEN}", text)
        return text

    return Texts(plain=without_generation, hide=hide)


def _of_settings(settings: Settings) -> Iterator[str]:
    for section in (settings, *settings.namespaces):
        for name in type(section).model_fields:
            value = getattr(section, name)
            if isinstance(value, SecretStr):
                yield value.get_secret_value()


def _of_environment(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if _secret_name(name) and len(value) >= _SHORTEST:
            yield value
