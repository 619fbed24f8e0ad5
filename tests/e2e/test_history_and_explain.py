"""The daemon beside a real proxy: its history survives a kill, explain shows the proxy."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.benches.processes import Bench
from tests.waiting import until

from drove_gateway.state.history_file import NAME

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_history_survives_a_kill_with_the_diff_of_the_configuration(
    shared: Bench,
) -> None:
    deployed = shared.vhost("late")
    await shared.cluster.deploy("late", instances=1)
    await shared.serves("late")

    def has_diff(document: Mapping[str, Any]) -> bool:
        diffs = [each["diff"].splitlines() for each in document["applies"]]
        return any(line.startswith("+") and deployed in line for lines in diffs for line in lines)

    before = await shared.reports("/v1/history", has_diff)
    file = shared.directory / "state" / NAME
    # What was applied in the moment of a kill may be missing: it is written a moment later.
    await until(lambda: deployed in file.read_text())
    await shared.daemon.kill()
    await shared.daemon.start()
    await shared.healthy()
    after = await shared.reports("/v1/history", has_diff)

    known = {each["number"] for each in before["applies"]}
    assert known <= {each["number"] for each in after["applies"]}
    assert any(event["kind"] == "leader" for event in after["events"])


async def test_explain_shows_the_servers_as_the_proxy_has_them(shared: Bench) -> None:
    vhost = shared.vhost("web")
    document = await shared.status(f"/v1/explain?q=http://{vhost}/")

    (explained,) = document["vhosts"]
    assert explained["served"]
    assert len(explained["servers"]) == 3
    assert all(server["wanted"] and server["applied"] for server in explained["servers"])
    if "haproxysocketaddr" in shared.proxy.settings:
        states = [state for server in explained["servers"] for state in server["present"]]
        assert len(states) == 3
        assert all(state["up"] for state in states)
