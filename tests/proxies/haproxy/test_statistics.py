"""What HAProxy tells people of its servers."""

from collections.abc import Awaitable, Callable

import pytest
from tests.proxies.haproxy.gateway import Gateway, app, topology
from tests.traffic import Instance, get

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api.statistics import server_states, unpublished_backends

VHOST = "a.example"
HEADER = "# pxname,svname,scur,stot,econ,eresp,status,weight,lastchg,last_chk,hrsp_5xx,addr,"


def test_a_server_is_read_with_state_weight_sessions_requests_and_errors() -> None:
    (state,) = server_states(f"{HEADER}\nb,s1,2,70,1,2,UP,50,9,L4OK,3,10.0.0.1:80,")

    assert (state.backend, state.name, state.address) == ("b", "s1", "10.0.0.1:80")
    assert (state.state, state.up) == ("UP", True)
    assert (state.weight, state.sessions, state.requests, state.errors) == (50, 2, 70, 6)
    assert state.changed == 9.0


@pytest.mark.parametrize(
    ("status", "weight", "up"),
    [("UP 1/3", 1, True), ("no check", 1, True), ("UP", 0, False), ("DRAIN", 1, False)],
)
def test_a_server_is_up_if_it_gets_new_requests(status: str, weight: int, up: bool) -> None:
    (state,) = server_states(f"{HEADER}\nb,s1,0,0,0,0,{status},{weight},9,,0,10.0.0.1:80,")

    assert state.up is up


def test_a_failed_health_check_explains_why_a_server_is_down() -> None:
    (state,) = server_states(f'{HEADER}\nb,s1,,,,,DOWN,1,9,"L4CON, refused",,10.0.0.1:80,')

    assert state.state == "DOWN (L4CON, refused)"
    assert (state.sessions, state.requests, state.errors) == (None, None, None)


@pytest.mark.parametrize(("status", "found"), [("UP (UNPUB)", ["b"]), ("UP", []), ("DOWN", [])])
def test_a_backend_that_no_request_reaches_is_shown_as_unpublished(
    status: str, found: list[str]
) -> None:
    reply = f"{HEADER}\nb,BACKEND,0,0,0,0,{status},0,9,,0,,"
    assert list(unpublished_backends(reply)) == found


def test_a_reply_of_another_form_is_an_error() -> None:
    with pytest.raises(RuntimeApiError, match="format of another version"):
        list(server_states("# name,state\nb,up"))


def test_a_line_that_is_cut_short_is_a_server_of_unknown_state() -> None:
    (state,) = server_states(f"{HEADER}\nb,s1,2")

    assert (state.name, state.state, state.up) == ("s1", "", False)


def test_a_field_that_is_too_long_is_an_error() -> None:
    with pytest.raises(RuntimeApiError, match="field larger than field limit"):
        list(server_states(f"{HEADER}\nb,{'x' * 200_000}"))


async def test_real_servers_are_shown_as_haproxy_has_them(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway()
    first, second = await spawn(2)
    served = app(VHOST, [first, second])
    await gateway.start(topology(served))
    await get(gateway.port, VHOST)

    states = await gateway.driver.servers(served)

    assert states is not None
    assert {state.listed for state in states} == {f"{i.host}:{i.port}" for i in (first, second)}
    assert all(state.up and state.weight for state in states)
    assert sum(state.requests or 0 for state in states) >= 1


async def test_a_vhost_that_haproxy_does_not_have_has_no_servers(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway()
    (instance,) = await spawn(1)
    await gateway.start(topology(app(VHOST, [instance])))

    assert await gateway.driver.servers(app("other.example", [instance])) == ()
