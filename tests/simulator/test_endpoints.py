"""What `/v1/endpoints` lists."""

from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator


async def test_an_entry_has_exactly_the_fields_of_a_real_one(client: Client) -> None:
    async with Simulator(Options(real=False, executors=("ex1.dc",))) as sim:
        await sim.deploy("web", vhost="web.local", tags={"k": "v"}, instances=1)
        [entry] = (await client.ask(sim, "endpoints")).data
    [host] = entry.pop("hosts")
    assert entry == {
        "appName": "web",
        "appId": "web-1",
        "vhost": "web.local",
        "tags": {"k": "v"},
    }
    assert host == {"host": "ex1.dc", "port": host["port"], "portType": "HTTP"}
    assert isinstance(host["port"], int)


async def test_tags_are_left_out_when_there_are_none(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("bare")
        await sim.deploy("tagged", tags={})
        bare, tagged = (await client.ask(sim, "endpoints")).data
    assert "tags" not in bare
    assert tagged["tags"] == {}


async def test_the_vhost_is_free_text(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        for number, vhost in enumerate(["WEB.Local", "", "a b;\n", "../x", "\ud800", "日本"]):
            await sim.deploy(f"app{number}", vhost=vhost)
        apps = (await client.ask(sim, "endpoints")).data
    assert [app["vhost"] for app in apps] == ["WEB.Local", "", "a b;\n", "../x", "\ud800", "日本"]


async def test_apps_are_sorted_by_id_and_hosts_by_creation(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        for name in ("zeta", "alpha", "mid"):
            await sim.deploy(name, instances=2)
        before = await client.hosts(sim, "mid-1")
        await sim.scale("mid", 4)
        assert list(await client.listed(sim)) == ["alpha-1", "mid-1", "zeta-1"]
        assert (await client.hosts(sim, "mid-1"))[:2] == before


async def test_app_names_filter_and_may_repeat(client: Client) -> None:
    async with Simulator(Options(apps=3, real=False)) as sim:
        data = (await client.ask(sim, "endpoints?app=app2")).data
        two = (await client.ask(sim, "endpoints?app=app1&app=app3")).data
        none = (await client.ask(sim, "endpoints?app=nope")).data
    assert [app["appId"] for app in data] == ["app2-1"]
    assert [app["appId"] for app in two] == ["app1-1", "app3-1"]
    assert none == []


async def test_an_app_scaled_to_nothing_is_absent(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=0)
        assert await client.listed(sim) == {}
        await sim.scale("web", 2)
        assert await client.listed(sim) == {"web-1": 2}
        await sim.scale("web", 0)
        assert await client.listed(sim) == {}


async def test_an_app_without_healthy_instances_is_listed_without_hosts(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=1)
        await sim.kill_instance(app="web", replace=False)
        assert await client.listed(sim) == {"web-1": 0}


async def test_versions_are_entries_of_their_own_on_the_same_vhost(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", vhost="w.local", tags={"colour": "blue"})
        await sim.deploy("web", tags={"colour": "green"})
        blue, green = (await client.ask(sim, "endpoints")).data
    assert (blue["appId"], green["appId"]) == ("web-1", "web-2")
    assert blue["vhost"] == green["vhost"] == "w.local"
    assert (blue["tags"], green["tags"]) == ({"colour": "blue"}, {"colour": "green"})


async def test_port_types_and_host_names_are_listed_as_they_are(client: Client) -> None:
    async with Simulator(Options(real=False, executors=("2001:db8::1", "ex.dc"))) as sim:
        await sim.deploy("web", port_type="TCP", instances=2)
        [app] = (await client.ask(sim, "endpoints")).data
    assert [host["host"] for host in app["hosts"]] == ["2001:db8::1", "ex.dc"]
    assert {host["portType"] for host in app["hosts"]} == {"TCP"}


async def test_a_hundred_thousand_hosts_can_be_listed(client: Client) -> None:
    async with Simulator(Options(apps=1000, instances=100, real=False)) as sim:
        listed = await client.listed(sim)
        assert (len(listed), sum(listed.values())) == (1000, 100_000)
        app = (await client.ask(sim, "endpoints")).data[0]
        assert len({(host["host"], host["port"]) for host in app["hosts"]}) == 100
        await sim.scale("app7", 1)
        assert sum((await client.listed(sim)).values()) == 99_901


async def test_an_answer_is_the_same_until_something_changes(client: Client) -> None:
    async with Simulator(Options(apps=5, real=False)) as sim:
        first, again = [await client.ask(sim, "endpoints") for _ in range(2)]
        assert first.body == again.body
        await sim.scale("app3", 5)
        assert (await client.listed(sim))["app3-1"] == 5
