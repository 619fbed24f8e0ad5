"""What instances answer."""

from base64 import b64encode

from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator


async def instance(client: Client, sim: Simulator) -> str:
    await sim.deploy("web", instances=1)
    [(host, port)] = await client.hosts(sim, "web-1")
    return f"http://{host}:{port}"


async def test_every_answer_names_the_instance(client: Client) -> None:
    async with Simulator() as sim:
        url = await instance(client, sim)
        [name] = sim.fleet.servers
        for path in ("/", "/a/b?c=d", "/?status=404", "/?size=10", "/headers"):
            got = await client.url(url + path)
            assert got.headers["X-App-Id"] == "web-1"
            assert got.headers["X-Instance-Id"] == name


async def test_status_and_size_are_as_asked(client: Client) -> None:
    async with Simulator() as sim:
        url = await instance(client, sim)
        assert (await client.url(f"{url}/?status=503")).status == 503
        assert len((await client.url(f"{url}/?size=1000000")).body) == 1_000_000
        wrong = await client.url(f"{url}/?delay=soon")
    assert wrong.status == 400
    assert b"soon" in wrong.body


async def test_headers_come_back(client: Client) -> None:
    async with Simulator() as sim:
        url = await instance(client, sim)
        token = b64encode(b"x" * 60).decode()
        got = await client.url(f"{url}/headers", headers={"X-Test": token})
    assert got.json["X-Test"] == token


async def test_bodies_are_read_and_the_connection_kept(client: Client) -> None:
    async with Simulator() as sim:
        url = await instance(client, sim)
        for _ in range(3):
            got = await client.url(f"{url}/upload", method="POST", data=b"x" * 1_000_000)
            assert got.status == 200
            assert "Connection" not in got.headers
        [server] = sim.fleet.servers.values()
        assert server.requests == 3


async def test_executors_can_be_named_localhost(client: Client) -> None:
    async with Simulator(Options(executors=("localhost",))) as sim:
        await sim.deploy("web", instances=1)
        [(host, port)] = await client.hosts(sim, "web-1")
        assert host == "localhost"
        assert (await client.url(f"http://127.0.0.1:{port}/")).json["host"] == "localhost"


async def test_a_moved_instance_answers_on_its_new_port(client: Client) -> None:
    async with Simulator() as sim:
        await instance(client, sim)
        [name] = sim.fleet.servers
        await sim.change_port(name)
        [(host, port)] = await client.hosts(sim, "web-1")
        got = await client.url(f"http://{host}:{port}/")
    assert (got.json["instanceId"], got.json["port"]) == (name, port)
