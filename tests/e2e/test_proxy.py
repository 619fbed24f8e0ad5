"""What goes wrong between the gateway and its proxy: traffic goes on, health tells, and once
mended it heals by itself.
"""

import socket
from collections.abc import Mapping
from typing import Any

import pytest
from tests.e2e.stage import Site, holds, status_of, vhost_is
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What the proxy's program is called with for its own check.
_CHECKED = {"nginx": '*" -t"', "haproxy": '*" -c"'}


def on_check(place: Site, script: str) -> str:
    """A script for `mischief` that only meets the proxy's check."""
    return f'case "$*" in {_CHECKED[place.edge.kind]}) {script};; esac'


def by_reload(place: Site) -> bool:
    """Whether every change needs a new configuration."""
    return "haproxysocketaddr" not in place.edge.settings


def refused(health: Mapping[str, Any]) -> bool:
    """Whether the section of the configuration is unhealthy."""
    return not health["Config"]["Healthy"]


async def heals(place: Site) -> None:
    """All is well again, for changes too."""
    await place.healthy()
    await place.cluster.scale("web", 3)
    await place.serves("web", "api")
    await vhost_is(place, "shop.test", 404)
    await holds(place, "/v1/status", lambda said: said["reconciler"]["state"] == "idle")
    await place.valid()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(("{{.Xproxy}}", "{{.Xproxi}}"), "Xproxi", id="it cannot be executed"),
        pytest.param(("{{.Xproxy}}", "{{.Xproxy"), "tmpl:", id="it cannot be parsed"),
        pytest.param(("# Written", "nonsense on;\n# Written"), "nonsense", id="refused"),
    ],
)
async def test_a_broken_template_stops_no_change_and_is_named_until_it_is_mended(
    shared: Site, damage: tuple[str, str], words: str
) -> None:
    good = shared.template.read_text()
    assert damage[0] in good
    async with shared.traffic():
        shared.template.write_text(good.replace(*damage, 1))
        health = await shared.says("the last good template is used instead")
        assert health["status"] == 500
        assert health["Template"]["Healthy"] is False
        assert words in health["Template"]["Message"]
        await shared.cluster.scale("web", 5)
        await shared.serves("web")
        shared.template.write_text(good)
        await shared.healthy()
    await heals(shared)


async def test_a_changed_template_is_used_at_once(shared: Site) -> None:
    good = shared.template.read_text()
    async with shared.traffic():
        shared.template.write_text(good.replace("{{.Xproxy}}", "changed-{{.Xproxy}}"))
        await until(lambda: "changed-site" in shared.config.read_text())
        shared.template.write_text(good)
        await until(lambda: "changed-site" not in shared.config.read_text())
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
    shared: Site, script: str, words: str
) -> None:
    """A new vhost needs a new configuration, whichever way servers change."""
    before = shared.config.read_text()
    async with shared.traffic():
        shared.mischief(on_check(shared, script))
        await shared.cluster.deploy("shop", instances=1)
        health = await holds(shared, "/v1/health", refused)
        assert words in health["Config"]["Message"]
        if by_reload(shared):
            assert shared.config.read_text() == before
        await shared.serves("web", "api")
        shared.mischief("")
        await shared.serves("shop")
    await shared.cluster.remove_app("shop")
    await heals(shared)


async def test_a_port_in_use_at_reload_is_found_out(shared: Site) -> None:
    """The reload of NGINX ends with 0 then; only the proof tells."""
    good = shared.template.read_text()
    before = shared.config.read_text()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with shared.traffic():
            if shared.edge.kind == "nginx":
                more = f"http {{\n    server {{ listen 127.0.0.1:{port}; }}"
                shared.template.write_text(good.replace("http {", more, 1))
            else:
                more = f"frontend taken\n    bind 127.0.0.1:{port}\n\nfrontend drove:clients"
                shared.template.write_text(good.replace("frontend drove:clients", more, 1))
            health = await holds(shared, "/v1/health", refused)
            assert health["Reconciler"]["State"] in {"retrying", "applying", "pacing"}
            await until(lambda: shared.config.read_text() == before)
            await shared.serves("web", "api")
    await shared.healthy()
    shared.template.write_text(good)
    await holds(shared, "/v1/status", lambda said: said["reconciler"]["state"] == "idle")
    await heals(shared)


async def test_a_reload_that_fails_is_tried_again(shared: Site) -> None:
    if shared.edge.kind != "nginx":
        return
    before = shared.config.read_text()
    async with shared.traffic():
        shared.mischief('case "$*" in *" -s reload") echo no signal; exit 1;; esac')
        await shared.cluster.deploy("shop", instances=1)
        health = await shared.says("no signal")
        assert health["Config"]["Healthy"] is False
        await until(lambda: shared.config.read_text() == before)
        shared.mischief("")
        await shared.serves("shop")
        await shared.cluster.remove_app("shop")
    await heals(shared)
    counted = await status_of(shared)
    assert any(one["error"] for one in counted["history"])


async def test_what_somebody_else_writes_into_the_file_is_undone(shared: Site) -> None:
    before = shared.config.read_text()
    async with shared.traffic():
        shared.config.write_text(before + "\n# edited by hand\n")
        await until(lambda: "edited by hand" not in shared.config.read_text())
    await heals(shared)
