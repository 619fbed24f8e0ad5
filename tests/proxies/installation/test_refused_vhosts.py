"""One vhost that the proxy's check refuses does not stop the rest."""

from pathlib import Path

import pytest
from tests.proxies.installation.names import no_names

from drove_gateway.config import Settings
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import (
    CheckRefused,
    CommandFailed,
    CommandTimeout,
    GatewayError,
    RenderError,
)
from drove_gateway.model.health import HealthSection
from drove_gateway.model.vocabulary import App, Host, Namespace, Topology
from drove_gateway.model.vocabulary import Leader as Leading
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.reloading import ReloadingProxy
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile

TEMPLATE = """\
{{range .Apps}}vhost {{.Vhost}}{{range .Hosts}} {{.Host}}{{end}}
{{if index .Tags "weight"}}weight {{index (index .Tags "weight") 2}}
{{end}}{{end}}{{range .Namespaces}}leader {{.Leader.Host}}
{{end}}"""


def app(vhost: str, host: str, **tags: str) -> App:
    return App(vhost, vhost, (Host(host, 80, "http"),), tags, {}, "")


def topology(leader: str = "10.0.0.9", **hosts: str) -> Topology:
    """A vhost for each keyword, served by that host."""
    return Topology(
        {vhost: app(vhost, host) for vhost, host in hosts.items()},
        {"n": Namespace("drove", Leading("http://x", leader, 80), "")},
    )


class Rig:
    """Installation for a proxy whose check is a shell script; `now` is its clock."""

    def __init__(
        self, directory: Path, timeout: float = 20, remembered: Topology | None = None
    ) -> None:
        self.now = 1000.0
        self.config = directory / "proxy.conf"
        self.template = directory / "proxy.tmpl"
        self.template.write_text(TEMPLATE)
        self.script = directory / "check"
        self.log = directory / "checks"
        self.refuse("! grep -n bad $1")
        self.reloads = 0
        self.reload_fails = False
        self.copies: list[Path] = []
        platform = Platform(
            name="proxy",
            config=self.config,
            check=lambda file: ("/bin/sh", str(self.script), str(file)),
            reload=self._reload,
        )
        self.installation = FileInstallation(
            platform,
            TemplateFile(self.template, ("{{", "}}"), {}),
            Renderer(
                lambda compiled, what: render(compiled, context(what, Settings(), "test")),
                Metrics(),
            ),
            delims=("{{", "}}"),
            timeout=timeout,
            prove=_prove,
            ask=_ask,
            clock=lambda: self.now,
            remembered=remembered,
            announce_copy=lambda _, copy: self.copies.append(copy),
        )

    def refuse(self, command: str) -> None:
        """The check is this command from now on; $1 is the file."""
        self.script.write_text(f"echo checked >> {self.log}\n{command}\n")

    def checks(self) -> int:
        """How often the check was called since the last time this was asked."""
        count = len(self.log.read_text().splitlines()) if self.log.exists() else 0
        self.log.unlink(missing_ok=True)
        return count

    def vhosts(self) -> dict[str, str]:
        lines = [line.split() for line in self.config.read_text().splitlines()]
        return {line[1]: line[2] for line in lines if line[0] == "vhost"}

    async def _reload(self) -> None:
        self.reloads += 1
        if self.reload_fails:
            raise CommandFailed("no reload")


async def _prove(url: str, generation: str, *, timeout: float) -> None: ...


async def _ask(url: str) -> str | None: ...


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_new_vhost_is_left_out_and_named(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))

    installed = await rig.installation.install(topology(a="10.0.0.2", b="bad", c="10.0.0.3"))

    assert rig.vhosts() == {"a": "10.0.0.2", "c": "10.0.0.3"}
    assert installed.topology == topology(a="10.0.0.2", c="10.0.0.3")
    assert installed.failed == (
        ("b", "left out, since the proxy accepts no form of it: 2:vhost b bad"),
    )


async def test_a_changed_vhost_stays_at_its_last_good_form(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="10.0.0.2"))

    installed = await rig.installation.install(topology(a="bad", b="10.0.0.3"))

    assert rig.vhosts() == {"a": "10.0.0.1", "b": "10.0.0.3"}
    assert [name for name, _ in installed.failed] == ["a"]
    assert installed.failed[0][1].startswith("left at its last good form: ")


async def test_what_an_earlier_run_installed_is_a_last_good_form(tmp_path: Path) -> None:
    rig = Rig(tmp_path, remembered=topology(a="10.0.0.1"))

    await rig.installation.install(topology(a="bad", b="10.0.0.3"))

    assert rig.vhosts() == {"a": "10.0.0.1", "b": "10.0.0.3"}


async def test_a_leader_that_is_refused_is_named_by_its_namespace(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))

    installed = await rig.installation.install(topology(leader="bad", a="10.0.0.2"))

    assert rig.vhosts() == {"a": "10.0.0.2"}
    assert [name for name, _ in installed.failed] == ["namespace n"]


async def test_a_vhost_whose_tags_the_template_cannot_use_is_to_blame(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    tagged = {**topology(a="10.0.0.2").apps, "b": app("b", "10.0.0.3", weight="1")}

    installed = await rig.installation.install(Topology(tagged, topology().namespaces))

    assert rig.vhosts() == {"a": "10.0.0.2"}
    assert [name for name, _ in installed.failed] == ["b"]
    assert "index out of range" in installed.failed[0][1]
    assert rig.installation.template_health() == HealthSection()


async def test_a_known_culprit_costs_no_further_checks(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="bad"))
    rig.checks()

    installed = await rig.installation.install(topology(a="10.0.0.2", b="bad"))

    assert rig.checks() == 1
    assert [name for name, _ in installed.failed] == ["b"]
    assert rig.vhosts() == {"a": "10.0.0.2"}


async def test_a_culprit_is_retried_after_a_while(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="bad"))
    rig.refuse("true")

    early = await rig.installation.install(topology(a="10.0.0.1", b="bad"))
    rig.now += 31
    late = await rig.installation.install(topology(a="10.0.0.1", b="bad"))

    assert [name for name, _ in early.failed] == ["b"]
    assert late.failed == ()
    assert rig.vhosts() == {"a": "10.0.0.1", "b": "bad"}


async def test_another_form_of_a_culprit_is_tried_immediately(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="bad"))

    installed = await rig.installation.install(topology(a="10.0.0.1", b="10.0.0.2"))

    assert installed.failed == ()
    assert rig.vhosts() == {"a": "10.0.0.1", "b": "10.0.0.2"}


async def test_a_repaired_template_is_tried_with_everything_immediately(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="bad"))
    rig.template.write_text("#\n" + TEMPLATE.replace("{{.Host}}", "{{.Port}}"))

    installed = await rig.installation.install(topology(a="10.0.0.1", b="bad"))

    assert installed.failed == ()
    assert rig.vhosts() == {"a": "80", "b": "80"}


async def test_a_broken_template_together_with_a_bad_vhost_stops_nothing(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    rig.template.write_text("bad\n" + TEMPLATE)

    installed = await rig.installation.install(topology(a="10.0.0.2", b="bad"))

    assert rig.vhosts() == {"a": "10.0.0.2"}
    assert [name for name, _ in installed.failed] == ["b"]
    assert "the last good template is used instead" in rig.installation.template_health().message


async def test_a_new_template_is_accepted_although_a_vhost_is_bad(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    rig.template.write_text("new\n" + TEMPLATE)

    await rig.installation.install(topology(a="10.0.0.2", b="bad"))

    assert rig.config.read_text().startswith("new\nvhost a 10.0.0.2\n")
    assert rig.installation.template_health() == HealthSection()


async def test_when_everything_is_refused_no_vhost_is_blamed(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    rig.refuse("echo no such certificate; false")

    with pytest.raises(CheckRefused, match="no such certificate"):
        await rig.installation.install(topology(a="10.0.0.2", b="10.0.0.3"))

    assert rig.vhosts() == {"a": "10.0.0.1"}
    assert rig.installation.failed(topology(a="10.0.0.2", b="10.0.0.3")) == ()


@pytest.mark.parametrize(
    ("check", "error"),
    [("exec sleep 60", CommandTimeout), ("kill -9 $$", CommandFailed)],
    ids=["it hangs", "it is killed"],
)
async def test_a_check_without_a_result_starts_no_search(
    tmp_path: Path, check: str, error: type[GatewayError]
) -> None:
    rig = Rig(tmp_path, timeout=0.2)
    rig.refuse(check)

    with pytest.raises(error):
        await rig.installation.install(topology(a="10.0.0.1", b="bad"))

    assert rig.checks() == 1
    assert not rig.config.exists()
    assert not list(tmp_path.glob(".proxy.conf.tmp-*"))


async def test_no_vhost_is_to_blame_for_a_wrapper_without_its_program(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    rig.refuse("exec /no/such/program")

    with pytest.raises(CheckRefused, match="/no/such/program"):
        await rig.installation.install(topology(a="10.0.0.2", b="10.0.0.3"))

    assert rig.vhosts() == {"a": "10.0.0.1"}


async def test_no_vhost_is_blamed_for_a_problem_that_ended_before_the_search(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    rig.refuse(f"[ $(wc -l <{rig.log}) -gt 2 ] || ! grep -n new $1")
    rig.checks()

    installed = await rig.installation.install(topology(a="10.0.0.1", b="new"))

    assert installed.failed == ()
    assert rig.vhosts() == {"a": "10.0.0.1", "b": "new"}


async def test_a_failed_reload_starts_no_search(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1"))
    rig.checks()

    rig.reload_fails = True
    with pytest.raises(CommandFailed):
        await rig.installation.install(topology(a="10.0.0.2", b="10.0.0.3"))

    assert rig.checks() == 1
    assert rig.vhosts() == {"a": "10.0.0.1"}


async def test_a_served_vhost_that_is_refused_in_every_form_keeps_its_traffic_at_first(
    rig: Rig,
) -> None:
    """Its host's name may be unknown for a moment only."""
    served = topology(a="10.0.0.1", b="10.0.0.2", c="10.0.0.3")
    await rig.installation.install(served)
    rig.refuse("! grep -n 10.0.0.2 $1")

    with pytest.raises(CheckRefused, match="b cannot be configured any more, not even as before"):
        await rig.installation.install(topology(a="10.0.0.4", b="10.0.0.2", c="10.0.0.3"))

    assert rig.vhosts() == {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}


async def test_a_vhost_that_is_refused_in_every_form_for_long_does_not_stop_the_rest(
    rig: Rig,
) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="10.0.0.2", c="10.0.0.3"))
    rig.refuse("! grep -n 10.0.0.2 $1")
    after = topology(a="10.0.0.4", b="10.0.0.2", c="10.0.0.3")
    with pytest.raises(CheckRefused):
        await rig.installation.install(after)
    rig.now += 61

    installed = await rig.installation.install(after)

    assert rig.vhosts() == {"a": "10.0.0.4", "c": "10.0.0.3"}
    assert [name for name, _ in installed.failed] == ["b"]


async def test_the_larger_part_is_never_taken_out(rig: Rig) -> None:
    """When DNS is dead, every name is unknown."""
    await rig.installation.install(topology(a="10.0.0.1", b="10.0.0.2", c="10.0.0.3"))
    rig.refuse("! grep -n vhost $1")
    after = topology(a="10.0.0.4", b="10.0.0.2", c="10.0.0.3")
    for _ in range(3):
        rig.now += 61
        with pytest.raises(CheckRefused, match="nothing is changed"):
            await rig.installation.install(after)

    assert rig.vhosts() == {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}


async def test_writing_only_the_file_leaves_culprits_out_as_well(rig: Rig) -> None:
    assert await rig.installation.write(topology(a="10.0.0.1", b="bad"))

    assert rig.vhosts() == {"a": "10.0.0.1"}
    failed = rig.installation.failed(topology(a="10.0.0.1", b="bad"))
    assert [name for name, _ in failed] == ["b"]
    assert rig.reloads == 0


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
        assert "Nope" in rig.installation.template_health().message

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
