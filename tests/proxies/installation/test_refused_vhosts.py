"""One vhost that the proxy's check refuses does not stop the rest."""

from pathlib import Path

import pytest
from tests.proxies.installation.refused_vhosts import TEMPLATE, Rig, app, topology

from drove_gateway.model.errors import (
    CheckRefused,
    CommandFailed,
    CommandTimeout,
    GatewayError,
)
from drove_gateway.model.health import FaultOfSome, HealthSection
from drove_gateway.model.vocabulary import Topology


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


async def test_a_refused_vhost_is_not_a_fault_of_the_others_in_health(rig: Rig) -> None:
    await rig.installation.install(topology(a="10.0.0.1", b="bad"))

    assert isinstance(rig.installation.config_health(topology(a="10.0.0.1", b="bad")), FaultOfSome)
