"""What the proxy's own check refuses: one vhost, or the whole template."""

import socket

import pytest
from tests.benches.processes import Bench
from tests.benches.tagged_template import balanced_by_a_tag
from tests.faults.rogue import VHOST, Rogue
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_host_name_that_cannot_be_resolved_stops_nothing_else(
    shared: Bench, rogue: Rogue
) -> None:
    """NGINX refuses the whole configuration for it."""
    async with shared.traffic("web.test", "api.test", VHOST):
        rogue.lists("ghost", "no-such-host.invalid", 80)
        health = await shared.says("ghost.test")
        await shared.cluster.scale("web", 4)
        await shared.serves("web")
        if shared.proxy.kind == "nginx":
            assert not health["Config"]["Healthy"]
            assert "ghost.test is left out" in health["Config"]["Message"]
            assert "host not found" in health["Config"]["Message"]
        rogue.drops("ghost")
        await _settles(shared)
        await shared.cluster.scale("web", 3)
        await shared.serves("web")


async def test_only_the_host_that_cannot_be_resolved_is_left_out(
    shared: Bench, rogue: Rogue
) -> None:
    """The vhost keeps its other hosts in traffic, and every other change goes through."""
    async with shared.traffic("web.test", "api.test", VHOST):
        port = rogue.apps[0]["hosts"][0]["port"]
        hosts = [
            {"host": name, "port": at, "portType": "HTTP"}
            for name, at in (("localhost", port), ("no-such-host.invalid", 80))
        ]
        rogue.lists("mixed", "localhost", port, hosts=hosts)
        await shared.vhost_is("mixed.test", 200)
        await shared.cluster.scale("web", 4)
        await shared.serves("web")
        if shared.proxy.kind == "nginx":
            health = await shared.says("mixed.test is served without host no-such-host.invalid")
            assert not health["Config"]["Healthy"]
        await shared.vhost_is("mixed.test", 200)
        rogue.drops("mixed")
        await _settles(shared)


async def test_a_tenant_with_many_faults_stops_nobody_else(shared: Bench, rogue: Rogue) -> None:
    """Bisection alone could not tell 70 faults from the changes of others."""
    good = shared.proxy.template.read_text()
    line, template = balanced_by_a_tag(good, shared.proxy.kind)
    shared.proxy.template.write_text(template)
    await until(lambda: line not in shared.proxy.config.read_text())
    async with shared.traffic("web.test", "api.test", VHOST):
        port = rogue.apps[0]["hosts"][0]["port"]
        for number in range(70):
            rogue.lists(f"bad{number}", "127.0.0.1", port, tags={"lb": f"nonsense{number}"})
        await shared.cluster.scale("web", 4)
        await shared.serves("web", seconds=30)
        rogue.lists("innocent", "127.0.0.1", port)
        await shared.vhost_is("innocent.test", 200)
        rogue.reset()
        await _settles(shared)
    shared.proxy.template.write_text(good)
    await shared.serves()


async def test_a_template_that_cannot_be_loaded_stops_no_change_of_the_cluster(
    shared: Bench,
) -> None:
    """The check passes, and the port is in use by another program."""
    good = shared.proxy.template.read_text()
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        at = f"127.0.0.1:{foreign.getsockname()[1]}"
        if shared.proxy.kind == "nginx":
            changed = good.replace("server_tokens off;", f"server {{ listen {at}; }}", 1)
        else:
            line = "frontend drove:clients from drove\n"
            changed = good.replace(line, f"{line}    bind {at}\n", 1)
        assert changed != good
        async with shared.traffic():
            shared.proxy.template.write_text(changed)
            health = await shared.says("the last good template is used instead")
            assert not health["Template"]["Healthy"]
            await shared.cluster.scale("web", 5)
            await shared.serves("web")
            assert at not in shared.proxy.config.read_text()

            shared.proxy.template.write_text(good)
            await shared.healthy()


async def test_after_a_restart_a_template_that_cannot_be_used_stops_no_change_either(
    shared: Bench,
) -> None:
    """The last good template is remembered across the restart."""
    good = shared.proxy.template.read_text()
    async with shared.traffic():
        shared.proxy.template.write_text(good + "\nnosuchthing;\n")
        await shared.says("the last good template is used instead")
        await shared.daemon.stop()
        await shared.daemon.start()
        health = await shared.says("the last good template is used instead")
        assert not health["Template"]["Healthy"]
        await shared.cluster.scale("web", 5)
        await shared.serves("web")
        await shared.cluster.deploy("extra", instances=1)
        await shared.serves("extra")

        shared.proxy.template.write_text(good)
        await shared.healthy()


async def test_a_change_that_failed_and_was_withdrawn_leaves_nothing_unhealthy(
    shared: Bench,
) -> None:
    shared.interfere("exit 1")
    await shared.cluster.deploy("extra", instances=1)
    await shared.unhealthy()
    await shared.cluster.remove_app("extra")
    await shared.reports("/v1/status", lambda status: status["reconciler"]["state"] == "idle")
    shared.interfere("")
    await shared.healthy(20)


async def test_a_vhost_that_the_template_cannot_use_stops_nothing_else(
    shared: Bench, rogue: Rogue
) -> None:
    good = shared.proxy.template.read_text()
    line, template = balanced_by_a_tag(good, shared.proxy.kind)
    shared.proxy.template.write_text(template)
    await until(lambda: line not in shared.proxy.config.read_text())
    async with shared.traffic("web.test", "api.test", VHOST):
        instance = rogue.apps[0]["hosts"][0]["port"]
        rogue.lists("tuned", "127.0.0.1", instance, tags={"lb": "nonsense"})
        health = await shared.says("tuned.test is left out")
        assert not health["Config"]["Healthy"]
        await shared.cluster.scale("api", 4)
        await shared.serves("api")

        rogue.drops("tuned")
        await _settles(shared)
    shared.proxy.template.write_text(good)
    await shared.serves()


async def test_a_broken_template_stops_no_change_of_the_cluster(shared: Bench) -> None:
    good = shared.proxy.template.read_text()
    async with shared.traffic():
        shared.proxy.template.write_text(good.replace("{{.Xproxy}}", "{{.Xproxi}}", 1))
        health = await shared.says("the last good template is used instead")
        assert not health["Template"]["Healthy"]
        assert "Xproxi" in health["Template"]["Message"]
        await shared.cluster.scale("web", 5)
        await shared.serves("web")

        shared.proxy.template.write_text(good)
        await shared.healthy()


async def test_a_template_that_the_proxy_refuses_stops_no_change_of_the_cluster(
    shared: Bench,
) -> None:
    good = shared.proxy.template.read_text()
    async with shared.traffic():
        shared.proxy.template.write_text(good + "\nnosuchthing;\n")
        health = await shared.says("the last good template is used instead")
        assert "nosuchthing" in health["Template"]["Message"]
        await shared.cluster.scale("web", 3)
        await shared.serves("web")

        shared.proxy.template.write_text(good)
        await shared.healthy()


async def _settles(bench: Bench) -> None:
    """Wait until all is well, once an operator accepts that the rogue's app is gone: Drove gave
    no reason for that, so that its instances stay on hold otherwise."""

    async def well() -> bool:
        await bench.accept()
        return bool((await bench.health())["status"] == 200)

    await until(well, 60)
