"""What goes wrong between the gateway and its proxy: traffic continues, health reports it, and
once repaired it recovers by itself.
"""

import socket
from collections.abc import Mapping
from typing import Any

import pytest
from tests.benches.processes import Bench, has_runtime_api
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What the proxy's program is called with for its own check.
_CHECKED = {"nginx": '*" -t"', "haproxy": '*" -c"'}


def on_check(bench: Bench, script: str) -> str:
    """A script for `mischief` that only meets the proxy's check."""
    return f'case "$*" in {_CHECKED[bench.proxy.kind]}) {script};; esac'


def by_reload(bench: Bench) -> bool:
    """Whether every change needs a new configuration."""
    return not has_runtime_api(bench.proxy)


def refused(health: Mapping[str, Any]) -> bool:
    """Whether the section of the configuration is unhealthy."""
    return not health["Config"]["Healthy"]


async def heals(bench: Bench) -> None:
    """All is well again, for changes too."""
    await bench.healthy()
    await bench.cluster.scale("web", 3)
    await bench.serves("web", "api")
    await bench.vhost_is("shop.test", 404)
    await bench.reports("/v1/status", lambda document: document["reconciler"]["state"] == "idle")
    await bench.valid()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(("{{.Xproxy}}", "{{.Xproxi}}"), "Xproxi", id="it cannot be executed"),
        pytest.param(("{{.Xproxy}}", "{{.Xproxy"), "tmpl:", id="it cannot be parsed"),
        pytest.param(("# Written", "nonsense on;\n# Written"), "nonsense", id="refused"),
    ],
)
async def test_a_broken_template_stops_no_change_and_is_named_until_it_is_repaired(
    shared: Bench, damage: tuple[str, str], words: str
) -> None:
    good = shared.proxy.template.read_text()
    assert damage[0] in good
    earlier = len(shared.daemon.log)
    async with shared.traffic():
        shared.proxy.template.write_text(good.replace(*damage, 1))
        health = await shared.says("the last good template is used instead")
        assert health["status"] == 500
        assert health["Template"]["Healthy"] is False
        assert words in health["Template"]["Message"]
        await shared.cluster.scale("web", 5)
        await shared.serves("web")
        shared.proxy.template.write_text(good)
        await shared.healthy()
    await heals(shared)
    news = [line for line in shared.daemon.log[earlier:] if "event=template_" in line]
    assert len(news) == 2, "".join(news)
    begin, end = news
    assert "level=warning event=template_unusable" in begin
    assert words in begin
    assert "level=info event=template_usable_again" in end


async def test_a_changed_template_is_used_at_once(shared: Bench) -> None:
    good = shared.proxy.template.read_text()
    async with shared.traffic():
        shared.proxy.template.write_text(good.replace("{{.Xproxy}}", "changed-{{.Xproxy}}"))
        await until(lambda: "changed-site" in shared.proxy.config.read_text())
        shared.proxy.template.write_text(good)
        await until(lambda: "changed-site" not in shared.proxy.config.read_text())
    await heals(shared)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("echo no licence; exit 1", "no licence", id="it fails"),
        pytest.param("exec sleep 60", "did not end within", id="it hangs"),
        pytest.param("kill -9 $$", "", id="it is killed"),
    ],
)
async def test_a_check_that_does_not_pass_leaves_file_and_traffic(
    shared: Bench, script: str, words: str
) -> None:
    """A new vhost needs a new configuration, whichever way servers change."""
    before = shared.proxy.config.read_text()
    async with shared.traffic():
        shared.interfere(on_check(shared, script))
        await shared.cluster.deploy("shop", instances=1)
        health = await shared.reports("/v1/health", refused)
        assert words in health["Config"]["Message"]
        if by_reload(shared):
            assert shared.proxy.config.read_text() == before
        await shared.serves("web", "api")
        shared.interfere("")
        await shared.serves("shop")
    await shared.cluster.remove_app("shop")
    await heals(shared)


async def test_a_port_in_use_at_reload_is_found_out(shared: Bench) -> None:
    """The reload of NGINX ends with 0 then; only the proof tells."""
    good = shared.proxy.template.read_text()
    before = shared.proxy.config.read_text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with shared.traffic():
            if shared.proxy.kind == "nginx":
                more = f"http {{\n    server {{ listen 127.0.0.1:{port}; }}"
                shared.proxy.template.write_text(good.replace("http {", more, 1))
            else:
                more = f"frontend taken\n    bind 127.0.0.1:{port}\n\nfrontend drove:clients"
                shared.proxy.template.write_text(good.replace("frontend drove:clients", more, 1))
            health = await shared.reports("/v1/health", lambda it: not it["Template"]["Healthy"])
            assert "the last good template is used instead" in health["Template"]["Message"]
            await until(lambda: shared.proxy.config.read_text() == before)
            await shared.cluster.scale("web", 4)
            await shared.serves("web", "api")
    shared.proxy.template.write_text(good)
    await shared.healthy()
    await heals(shared)


async def test_a_reload_that_fails_is_tried_again(shared: Bench) -> None:
    if shared.proxy.kind != "nginx":
        return
    before = shared.proxy.config.read_text()
    async with shared.traffic():
        shared.interfere('case "$*" in *" -s reload") echo no signal; exit 1;; esac')
        await shared.cluster.deploy("shop", instances=1)
        health = await shared.says("no signal")
        assert health["Config"]["Healthy"] is False
        await until(lambda: shared.proxy.config.read_text() == before)
        shared.interfere("")
        await shared.serves("shop")
        await shared.cluster.remove_app("shop")
    await heals(shared)
    counted = await shared.status()
    assert any(change["error"] for change in counted["history"])


async def test_what_somebody_else_writes_into_the_file_is_undone(shared: Bench) -> None:
    before = shared.proxy.config.read_text()
    async with shared.traffic():
        shared.proxy.config.write_text(before + "\n# edited manually\n")
        await until(lambda: "edited manually" not in shared.proxy.config.read_text())
    await heals(shared)
