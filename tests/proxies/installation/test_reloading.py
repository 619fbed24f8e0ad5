"""A proxy without a runtime API, driven by plans: what reloads, what health says, the audit."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import structlog
from tests.proxies.installation.names import no_names
from tests.proxies.nginx_rig import TEMPLATE, Rig, rigged, topology
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import CheckRefused, RenderError
from drove_gateway.model.health import NO_RUNTIME_API, PENDING, HealthSection, ProxyHealth
from drove_gateway.model.plan import Plan, Step
from drove_gateway.proxies.foreign_changes import ForeignChanges
from drove_gateway.proxies.installation.reloading import ReloadingProxy

WELL = ProxyHealth(
    config=HealthSection(), template=HealthSection(), upstream_updates=NO_RUNTIME_API
)


def sections(proxy: ReloadingProxy) -> ProxyHealth:
    """The health of `proxy`, without the note on where the file of before is kept."""
    return msgspec.structs.replace(proxy.health(), notes=())


@pytest.fixture
async def rig(nginx: Path, short_path: Path) -> AsyncIterator[Rig]:
    async with rigged(nginx, short_path) as made:
        yield made


@pytest.fixture
def proxy(rig: Rig) -> ReloadingProxy:
    return ReloadingProxy(rig.installation(), no_names(), audit_interval=0.05)


async def test_before_the_first_apply_health_is_pending(proxy: ReloadingProxy) -> None:
    health = proxy.health()
    assert (health.config, health.template) == (PENDING, PENDING)


async def test_the_first_plan_installs_because_the_gateway_started(
    proxy: ReloadingProxy, rig: Rig
) -> None:
    plan = proxy.plan(topology(web=3))
    assert plan == Plan(topology(web=3), reload=("the gateway started",))
    outcome = await proxy.apply(plan)
    assert outcome.steps == (Step("reload", "nginx", "the gateway started"),)
    assert sections(proxy) == WELL
    await rig.serves(web=3)


async def test_a_proxy_that_already_serves_the_configuration_is_not_reloaded(
    proxy: ReloadingProxy, rig: Rig
) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    again = ReloadingProxy(rig.installation(), no_names(), audit_interval=60)
    outcome = await again.apply(again.plan(topology(web=3)))
    assert [step.action for step in outcome.steps] == ["keep"]
    assert sections(again) == WELL
    assert rig.reloads == 1


async def test_the_applied_topology_needs_no_reload_and_every_difference_does(
    proxy: ReloadingProxy, rig: Rig
) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    assert proxy.plan(topology(web=3)).empty
    plan = proxy.plan(topology(web=4, api=1))
    assert plan.reload == ("vhost api added", "vhost web: +1 -0 servers")
    await proxy.apply(plan)
    await rig.serves(web=4, api=1)
    assert proxy.plan(topology(api=1)).reload == ("vhost web removed",)


async def test_a_demand_alone_is_a_reason_to_reload(proxy: ReloadingProxy, rig: Rig) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    rig.write_template(TEMPLATE.replace("{{len .Hosts}}", "7"))
    await proxy.apply(proxy.plan(topology(web=3), ("nginx.tmpl changed",)))
    await rig.serves(web=7)


async def test_while_reloads_are_paced_nothing_is_done(proxy: ReloadingProxy, rig: Rig) -> None:
    outcome = await proxy.apply(proxy.plan(topology(web=3)).without_reload())
    assert outcome.steps == ()
    assert rig.reloads == 0
    assert not proxy.plan(topology(web=3)).empty


async def test_a_refusal_is_reported_and_the_difference_stays_planned(
    proxy: ReloadingProxy, rig: Rig
) -> None:
    rig.write_template(TEMPLATE + "nonsense;")
    plan = proxy.plan(topology(web=3))
    with pytest.raises(CheckRefused):
        await proxy.apply(plan)
    health = proxy.health()
    assert not health.config.healthy
    assert "nonsense" in health.config.message
    assert health.template == HealthSection()
    assert proxy.plan(topology(web=3)) == plan
    rig.write_template(TEMPLATE)
    await proxy.apply(proxy.plan(topology(web=3)))
    assert sections(proxy) == WELL


async def test_a_change_that_failed_and_was_withdrawn_leaves_nothing_unhealthy(rig: Rig) -> None:
    fails = rig.directory / "fails"
    nginx = rig.directory / "nginx.sh"
    nginx.write_text(f'#!/bin/sh\n[ ! -e {fails} ] && exec {rig.command[0]} "$@"\n')
    nginx.chmod(0o755)
    rig.command = (str(nginx), *rig.command[1:])
    proxy = ReloadingProxy(rig.installation(), no_names(), audit_interval=60)
    await proxy.apply(proxy.plan(topology(web=3)))
    fails.touch()
    with pytest.raises(CheckRefused):
        await proxy.apply(proxy.plan(topology(web=3, api=1)))
    assert not proxy.health().config.healthy
    assert proxy.plan(topology(web=3)).empty
    assert sections(proxy) == WELL


async def test_an_unusable_template_is_reported(proxy: ReloadingProxy, rig: Rig) -> None:
    rig.write_template("{{")
    with pytest.raises(RenderError):
        await proxy.apply(proxy.plan(topology(web=3)))
    assert not proxy.health().template.healthy
    assert "nginx.tmpl:1" in proxy.health().template.message


async def test_a_template_that_broke_later_is_reported_while_the_good_template_serves(
    proxy: ReloadingProxy, rig: Rig
) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    rig.write_template("{{")
    await proxy.apply(proxy.plan(topology(web=4)))
    await rig.serves(web=4)
    health = proxy.health()
    assert health.config == HealthSection()
    assert not health.template.healthy
    assert "last good template" in health.template.message
    rig.write_template(TEMPLATE)
    await proxy.apply(proxy.plan(topology(web=4), ("nginx.tmpl changed",)))
    assert sections(proxy) == WELL


async def test_the_audit_finds_what_others_changed_and_the_next_plan_repairs_it(
    proxy: ReloadingProxy, rig: Rig
) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    await rig.serves(web=3)
    installed = rig.config.read_text()
    woken: list[str] = []
    audit = asyncio.create_task(proxy.run(woken.append))
    rig.config.write_text("# mine\n" + installed)
    drift = f"{rig.config} was changed by another program or manually"
    await until(lambda: drift in woken)
    audit.cancel()
    assert drift in proxy.plan(topology(web=3)).reload
    await proxy.apply(proxy.plan(topology(web=3)))
    assert rig.config.read_text() == installed
    assert proxy.plan(topology(web=3)).empty


async def test_drift_wakes_once_until_it_is_repaired(proxy: ReloadingProxy, rig: Rig) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    woken: list[str] = []
    audit = asyncio.create_task(proxy.run(woken.append))
    for _ in range(2):
        woken.clear()
        rig.config.write_text("# mine\n")
        await until(lambda: any("another program" in reason for reason in woken))
        await proxy.apply(proxy.plan(topology(web=3)))
    audit.cancel()
    assert len([reason for reason in woken if "another program" in reason]) == 1


async def test_distrust_makes_the_next_plan_install_again(proxy: ReloadingProxy) -> None:
    await proxy.apply(proxy.plan(topology(web=3)))
    proxy.distrust("/v1/reload")
    assert proxy.plan(topology(web=3)).reload == ("/v1/reload",)
    outcome = await proxy.apply(proxy.plan(topology(web=3)))
    assert [step.action for step in outcome.steps] == ["keep"]
    assert proxy.plan(topology(web=3)).empty


async def test_a_file_that_another_program_rewrites_again_and_again_is_named_in_health(
    rig: Rig,
) -> None:
    log = EventLog(structlog.get_logger())
    foreign = ForeignChanges("NGINX", audit_interval=0.05, clock=time.monotonic, log=log)
    proxy = ReloadingProxy(rig.installation(), no_names(), audit_interval=0.05, foreign=foreign)
    await proxy.apply(proxy.plan(topology(web=3)))
    ours = rig.config.read_text()
    woken = asyncio.Event()
    auditing = asyncio.create_task(proxy.run(lambda _: woken.set()))
    try:
        for times in (1, 2, 3):
            assert not proxy.health().contested
            rig.config.write_text(ours + f"# another gateway, {times}")
            await asyncio.wait_for(woken.wait(), 10)
            woken.clear()
            await proxy.apply(proxy.plan(topology(web=3)))
            assert rig.config.read_text() == ours
    finally:
        auditing.cancel()
    health = proxy.health()
    assert not health.config.healthy
    assert "another program keeps undoing this gateway's changes to NGINX" in health.contested
