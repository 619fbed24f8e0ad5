"""A host whose name cannot be resolved any more costs no other vhost a change."""

import asyncio
from pathlib import Path

import pytest
from tests.proxies.installation.names import NameServer
from tests.proxies.installation.refused_vhosts import Rig, topology
from tests.waiting import until

from drove_gateway.model.errors import CheckRefused
from drove_gateway.model.health import FaultOfSome
from drove_gateway.proxies.installation.reloading import ReloadingProxy

BEFORE = topology(a="10.0.0.1", b="node.example")
AFTER = topology(a="10.0.0.2", b="node.example")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def names() -> NameServer:
    return NameServer({"node.example": "10.0.0.9", "c1.example": "10.0.0.8"})


@pytest.fixture
def proxy(rig: Rig, names: NameServer) -> ReloadingProxy:
    return ReloadingProxy(rig.installation, names.last_addresses(), audit_interval=0.05)


async def test_changes_of_others_are_applied_at_once_and_the_vhost_stays_in_traffic(
    rig: Rig, names: NameServer, proxy: ReloadingProxy
) -> None:
    await proxy.apply(proxy.plan(BEFORE))
    assert rig.vhosts() == {"a": "10.0.0.1", "b": "node.example"}
    del names.addresses["node.example"]
    names.now += 20
    rig.refuse("! grep -n node.example $1")

    outcome = await proxy.apply(proxy.plan(AFTER))

    assert outcome.failed == ()
    assert rig.vhosts() == {"a": "10.0.0.2", "b": "10.0.0.9"}
    assert proxy.plan(AFTER).empty
    assert "node.example" in proxy.health().resolver.message
    assert isinstance(proxy.health().resolver, FaultOfSome)
    await proxy.apply(proxy.plan(BEFORE))
    assert rig.vhosts() == {"a": "10.0.0.1", "b": "10.0.0.9"}


async def test_name_is_served_again_when_it_has_an_address(
    rig: Rig, names: NameServer, proxy: ReloadingProxy
) -> None:
    await proxy.apply(proxy.plan(BEFORE))
    address = names.addresses.pop("node.example")
    names.now += 20
    rig.refuse("! grep -n node.example $1")
    await proxy.apply(proxy.plan(AFTER))
    rig.refuse("true")
    names.addresses["node.example"] = address
    names.now += 20
    woken: list[str] = []
    audit = asyncio.create_task(proxy.run(woken.append))

    await until(lambda: bool(woken))

    audit.cancel()
    await proxy.apply(proxy.plan(AFTER))
    assert rig.vhosts() == {"a": "10.0.0.2", "b": "node.example"}
    assert proxy.health().resolver.healthy


async def test_leader_whose_name_is_lost_keeps_its_address(
    rig: Rig, names: NameServer, proxy: ReloadingProxy
) -> None:
    await proxy.apply(proxy.plan(topology("c1.example", a="10.0.0.1")))
    del names.addresses["c1.example"]
    names.now += 20
    rig.refuse("! grep -n c1.example $1")

    await proxy.apply(proxy.plan(topology("c1.example", a="10.0.0.2")))

    assert rig.vhosts() == {"a": "10.0.0.2"}
    assert "leader 10.0.0.8" in rig.config.read_text()


async def test_refusal_for_another_reason_leaves_the_names(
    rig: Rig, names: NameServer, proxy: ReloadingProxy
) -> None:
    await proxy.apply(proxy.plan(BEFORE))
    names.now += 20
    rig.refuse("! grep -n node.example $1")

    with pytest.raises(CheckRefused, match="b cannot be configured any more"):
        await proxy.apply(proxy.plan(AFTER))

    assert rig.vhosts() == {"a": "10.0.0.1", "b": "node.example"}


async def test_after_a_restart_a_name_without_an_address_costs_its_host_alone(
    tmp_path: Path, names: NameServer
) -> None:
    """The proxy's check waits for a name server that does not respond, until its time is up."""
    rig = Rig(tmp_path, timeout=0.5)
    proxy = ReloadingProxy(rig.installation, names.last_addresses(), audit_interval=0.05)
    address = names.addresses.pop("node.example")
    rig.refuse("if grep -q node.example $1; then exec sleep 60; fi")

    await proxy.apply(proxy.plan(BEFORE))
    assert rig.vhosts() == {"a": "10.0.0.1"}
    assert "hosts without an address are left out: node.example" in proxy.health().resolver.message

    await proxy.apply(proxy.plan(AFTER))
    assert rig.vhosts() == {"a": "10.0.0.2"}

    names.addresses["node.example"] = address
    names.now += 20
    rig.refuse("true")
    woken: list[str] = []
    task = asyncio.create_task(proxy.run(woken.append))
    await until(lambda: bool(woken))
    task.cancel()
    await proxy.apply(proxy.plan(AFTER))
    assert rig.vhosts() == {"a": "10.0.0.2", "b": "node.example"}
    assert proxy.health().resolver.healthy
