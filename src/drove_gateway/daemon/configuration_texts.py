"""The secrets that a gateway knows, and how it compares configurations without showing them."""

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec
from pydantic import SecretStr

from drove_gateway.config import Settings
from drove_gateway.config.declared_secrets import is_secret_name, without_declared_secrets
from drove_gateway.drove.secrets import Secrets
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.model.records import ApplyRecord
from drove_gateway.proxies.installation.before import without_generation
from drove_gateway.state.history_keeper import Texts
from drove_gateway.status.status import MOST_STEPS

# A shorter value of the environment would be found in harmless text.
_SHORTEST = 6
_path = re.compile(r"(/[\w.@+-]+)+/?").fullmatch


def known_secrets(settings: Settings, environ: Mapping[str, str]) -> Secrets:
    """Return the secrets that may be in any text of a gateway with these settings.

    They are the settings' secrets, and the values of `[template]` and of the environment whose
    names say that they are secret: a template can write them into the configuration, and the proxy
    can quote them. A short secret would be found in harmless names, such as that of a vhost.
    """
    known = (*_of_settings(settings), *_of_variables(settings, environ))
    return Secrets((each for each in known if len(each) >= _SHORTEST), pieces=False)


def configuration_texts(settings: Settings, environ: Mapping[str, str]) -> Texts:
    """Return how to compare the configurations of a gateway with these settings.

    Hidden are the known secrets in every encoding, and what a line declares to be secret.
    """
    secrets = Secrets((*_of_settings(settings), *_of_variables(settings, environ)))
    return Texts(
        plain=without_generation,
        hide=lambda text: without_declared_secrets(secrets.hide(text)),
    )


def record_without_secrets(record: ApplyRecord, hide: Callable[[str], str]) -> ApplyRecord:
    """Return `record` with the causes that quote the proxy or the configuration, without secrets.

    Causes past the first 200 stay as they are: nothing shows them.
    """
    failed = [(vhost, hide(why)) for vhost, why in record.failed[:MOST_STEPS]]
    return msgspec.structs.replace(
        record,
        reasons=tuple(hide(reason) if "`" in reason else reason for reason in record.reasons),
        failed=(*failed, *record.failed[MOST_STEPS:]),
        error=hide(record.error),
    )


def health_without_secrets(health: ProxyHealth, hide: Callable[[str], str]) -> ProxyHealth:
    """Return `health` with the messages that quote the proxy or its template, without secrets."""
    return msgspec.structs.replace(
        health,
        config=_hidden(health.config, hide),
        template=_hidden(health.template, hide),
        upstream_updates=_hidden(health.upstream_updates, hide),
    )


def _hidden(section: HealthSection, hide: Callable[[str], str]) -> HealthSection:
    return msgspec.structs.replace(section, message=hide(section.message))


def _of_settings(settings: Settings) -> Iterator[str]:
    for section in (settings, *settings.namespaces):
        for name in type(section).model_fields:
            value = getattr(section, name)
            if isinstance(value, SecretStr):
                yield value.get_secret_value()


def _of_variables(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in (*environ.items(), *settings.template.items()):
        # The path of a file with a secret is none, and would be found in other paths.
        if is_secret_name(name) and len(value) >= _SHORTEST and not _path(value):
            yield value
