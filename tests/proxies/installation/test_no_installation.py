"""With reloads disabled and a runtime API, nothing is rendered or written."""

from drove_gateway.model.vocabulary import EMPTY, App, Topology
from drove_gateway.proxies.installation.installation import Installation, NoInstallation

INSTALLATION: Installation = NoInstallation("HAProxy")
DESIRED = Topology({"a": App("a", "a", (), {}, {}, "")}, {})


def test_no_plan_reloads() -> None:
    assert INSTALLATION.reload_reasons(("the gateway started", "vhost a added")) == ()


async def test_an_install_changes_nothing_and_says_so() -> None:
    result = await INSTALLATION.install(DESIRED)

    assert result.topology == DESIRED
    assert not result.reloaded
    assert result.seconds == ()
    assert INSTALLATION.installed is None
    assert not await INSTALLATION.write(DESIRED)
    assert await INSTALLATION.drift() == ""


def test_every_vhost_is_reachable_and_none_is_refused() -> None:
    assert INSTALLATION.reachable(DESIRED) is DESIRED
    assert INSTALLATION.failed(DESIRED) == ()
    assert INSTALLATION.reachable(EMPTY) is EMPTY


def test_health_says_that_it_is_disabled() -> None:
    config, template = INSTALLATION.config_health(DESIRED), INSTALLATION.template_health()

    assert (config.healthy, config.message) == (True, "Config Reload disabled")
    assert (template.healthy, template.message) == (True, "Templating disabled")
