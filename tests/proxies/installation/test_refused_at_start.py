"""Vhosts that are refused at a start, without a last good form of any."""

from pathlib import Path

import pytest
from tests.proxies.installation.names import no_names
from tests.proxies.installation.refused_vhosts import TEMPLATE, Rig, topology

from drove_gateway.model.errors import (
    CheckRefused,
    RenderError,
)
from drove_gateway.proxies.installation.reloading import ReloadingProxy


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


class TestWithoutMemory:
    """The present file is all that shows what is served."""

    PRESENT = "vhost a 10.0.0.1\nvhost b 10.0.0.2\n"

    async def test_a_template_that_fails_on_every_vhost_changes_nothing(self, rig: Rig) -> None:
        rig.config.write_text(self.PRESENT)
        rig.template.write_text("{{range .Apps}}{{.Nope}}{{end}}")

        with pytest.raises(RenderError, match="no earlier configuration is known to be good"):
            await rig.installation.install(topology(a="10.0.0.1", b="10.0.0.2"))

        assert rig.config.read_text() == self.PRESENT
        assert rig.reloads == 0
        message = rig.installation.template_health().message
        assert message.startswith("no template can be used, and the proxy keeps its configuration")
        assert "Nope" in message

    async def test_a_check_that_refuses_every_vhost_changes_nothing(self, rig: Rig) -> None:
        rig.config.write_text(self.PRESENT)
        rig.refuse("! grep -n vhost $1")

        with pytest.raises(CheckRefused, match="the traffic stay as they are"):
            await rig.installation.install(topology(a="10.0.0.1", b="10.0.0.2"))

        assert rig.config.read_text() == self.PRESENT
        assert "vhost a" in rig.installation.config_health(None).message

    async def test_a_refused_vhost_that_the_present_file_serves_stops_the_change(
        self, rig: Rig
    ) -> None:
        rig.config.write_text(self.PRESENT)

        with pytest.raises(CheckRefused, match="nothing is left out"):
            await rig.installation.install(topology(a="10.0.0.3", b="bad"))

        assert rig.config.read_text() == self.PRESENT

    async def test_a_refused_vhost_that_is_new_is_left_out(self, rig: Rig) -> None:
        rig.config.write_text(self.PRESENT)

        await rig.installation.install(topology(a="10.0.0.3", b="10.0.0.4", c="bad"))

        assert rig.vhosts() == {"a": "10.0.0.3", "b": "10.0.0.4"}

    async def test_not_even_a_new_file_is_written_without_any_vhost(self, rig: Rig) -> None:
        with pytest.raises(CheckRefused):
            await rig.installation.install(topology(a="bad", b="bad"))

        assert not rig.config.exists()

    async def test_a_repair_is_followed_immediately(self, rig: Rig) -> None:
        rig.config.write_text(self.PRESENT)
        rig.template.write_text("{{range .Apps}}{{.Nope}}{{end}}")
        with pytest.raises(RenderError):
            await rig.installation.install(topology(a="10.0.0.3", b="10.0.0.4"))
        rig.template.write_text(TEMPLATE)

        await rig.installation.install(topology(a="10.0.0.3", b="10.0.0.4"))

        assert rig.vhosts() == {"a": "10.0.0.3", "b": "10.0.0.4"}


class TestThroughTheDriver:
    async def test_a_culprit_is_in_outcome_and_health_and_is_retried(self, rig: Rig) -> None:
        proxy = ReloadingProxy(rig.installation, no_names(), audit_interval=60)
        desired = topology(a="10.0.0.1", b="bad")

        outcome = await proxy.apply(proxy.plan(desired))

        assert [name for name, _ in outcome.failed] == ["b"]
        assert not proxy.health().config.healthy
        assert proxy.health().config.message == (
            "b is left out, since the proxy accepts no form of it: 2:vhost b bad"
        )
        assert proxy.health().template.healthy
        assert proxy.plan(desired).reload == ("vhost b added",)

    async def test_a_retry_reloads_nothing_while_the_vhost_is_still_refused(self, rig: Rig) -> None:
        proxy = ReloadingProxy(rig.installation, no_names(), audit_interval=60)
        desired = topology(a="10.0.0.1", b="bad")
        await proxy.apply(proxy.plan(desired))
        rig.now += 31

        outcome = await proxy.apply(proxy.plan(desired))

        assert [name for name, _ in outcome.failed] == ["b"]
        assert {step.action for step in outcome.steps} == {"keep"}
        assert rig.reloads == 1

    async def test_health_recovers_once_the_vhost_passes(self, rig: Rig) -> None:
        proxy = ReloadingProxy(rig.installation, no_names(), audit_interval=60)
        await proxy.apply(proxy.plan(topology(a="10.0.0.1", b="bad")))
        after = topology(a="10.0.0.1", b="10.0.0.2")

        outcome = await proxy.apply(proxy.plan(after))

        assert outcome.failed == ()
        assert proxy.health().config.healthy
        assert proxy.plan(after).empty

    async def test_a_culprit_that_was_removed_is_no_longer_reported(self, rig: Rig) -> None:
        proxy = ReloadingProxy(rig.installation, no_names(), audit_interval=60)
        await proxy.apply(proxy.plan(topology(a="10.0.0.1", b="bad")))

        plan = proxy.plan(topology(a="10.0.0.1"))

        assert plan.empty
        assert proxy.health().config.healthy

    async def test_health_names_the_first_few_of_many(self, rig: Rig) -> None:
        proxy = ReloadingProxy(rig.installation, no_names(), audit_interval=60)
        hosts = {f"v{number}": "bad" for number in range(8)}

        await proxy.apply(proxy.plan(topology(a="10.0.0.1", **hosts)))

        assert proxy.health().config.message.endswith("; and 3 more")
