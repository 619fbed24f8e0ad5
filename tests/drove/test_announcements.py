"""What explains that an instance leaves, and what only looks like it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.drove.announcements import Announcements
from drove_gateway.drove.events import Event, events_page
from drove_gateway.model.vocabulary import NOTHING_ANNOUNCED

EX1 = ("ex1.dc", 31000)


def instance(state: str, address: tuple[str, int] = EX1) -> Event:
    return Event("id", "INSTANCE_STATE_CHANGE", state=state, addresses=(address,))


def app(state: str) -> Event:
    return Event("id", "APP_STATE_CHANGE", app_id="web-1", state=state)


def heard(*events: Event, settling: bool = False) -> Announcements:
    return Announcements().heard(events, 100.0, settling=settling)


@pytest.mark.parametrize("state", ["STOPPING", "UNHEALTHY", "DEPROVISIONING", "STOPPED", "UNREADY"])
def test_an_instance_in_any_state_but_healthy_is_announced(state: str) -> None:
    assert heard(instance(state)).announced.instances == {EX1}


def test_an_instance_that_is_healthy_again_is_not_announced() -> None:
    assert heard(instance("STOPPED"), instance("HEALTHY")).announced is NOTHING_ANNOUNCED


def test_an_instance_that_becomes_healthy_is_an_arrival_of_its_app() -> None:
    started = Event(
        "id", "INSTANCE_STATE_CHANGE", app_name="web", state="HEALTHY", addresses=(EX1,)
    )
    known = heard(started)
    assert known.announced.arrivals == {"web"}
    assert known.announced.instances == frozenset()
    assert known.accepted(111.0).announced.arrivals == {"web"}
    assert known.accepted(161.0).announced is NOTHING_ANNOUNCED
    stopped = known.heard([instance("STOPPING")], 101.0, settling=False)
    assert stopped.announced.arrivals == frozenset()


def test_an_instance_is_announced_until_a_later_response_was_accepted() -> None:
    stopped = heard(instance("STOPPING"))
    assert stopped.accepted(101.0).announced.instances == {EX1}
    assert stopped.accepted(111.0).announced is NOTHING_ANNOUNCED


@pytest.mark.parametrize(
    "state",
    [
        "SCALING_REQUESTED",
        "STOP_INSTANCES_REQUESTED",
        "REPLACE_INSTANCES_REQUESTED",
        "DESTROY_REQUESTED",
        "DESTROYED",
        "MONITORING",
    ],
)
def test_an_app_whose_instances_are_to_leave_is_announced(state: str) -> None:
    assert heard(app(state)).announced.apps == {"web-1": state}
    assert heard(app(state), app("RUNNING")).announced.apps == {"web-1": state}


def test_an_outage_and_its_repair_explain_nothing() -> None:
    lost = heard(app("OUTAGE_DETECTED"), app("SCALING_REQUESTED"), app("RUNNING"))
    assert lost.announced is NOTHING_ANNOUNCED
    later = heard(app("OUTAGE_DETECTED")).accepted(150.0)
    assert later.heard([app("SCALING_REQUESTED")], 151.0, settling=False).announced.apps == {}


def test_a_lost_executor_explains_nothing() -> None:
    assert heard(Event("id", "EXECUTOR_REMOVED")).announced is NOTHING_ANNOUNCED


def test_a_new_leader_that_recovers_its_apps_explains_nothing_about_them() -> None:
    recovering = heard(app("MONITORING"), instance("STOPPING"), settling=True).announced
    assert recovering.apps == {}
    assert recovering.instances == {EX1}


def test_announcements_are_bounded() -> None:
    many = [instance("STOPPED", ("ex1.dc", port)) for port in range(60_000)]
    assert len(heard(*many).announced.instances) == 50_000


STOPPED = {
    "metadata": {
        "EXECUTOR_HOST": "127.0.0.1",
        "PORTS": "main:22522:http,admin:22523:tcp",
        "APP_ID": "web-1",
        "ERROR": "Healthcheck failed",
        "APP_NAME": "web",
        "CREATED": 1795780590653,
        "EXECUTOR_ID": "00000000-0000-4000-8000-000000000005",
        "CURRENT_STATE": "STOPPED",
        "INSTANCE_ID": "AI-00000000-0000-4000-8000-000000000019",
    },
    "type": "INSTANCE_STATE_CHANGE",
    "id": "00000000-0000-4000-8000-000000000020",
    "time": 1795780647090,
}


def test_an_event_as_a_real_controller_sends_it_names_its_instance() -> None:
    data = {"events": [STOPPED], "lastSyncTime": 1795780647090}
    page = events_page(json.dumps({"status": "SUCCESS", "data": data}).encode(), requested=0)
    (stopped,) = page.events
    assert stopped.addresses == (("127.0.0.1", 22522), ("127.0.0.1", 22523))
    assert (stopped.app_name, stopped.app_id) == ("web", "web-1")
    assert heard(*page.events).announced.instances == set(stopped.addresses)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["type", "id", "time", "metadata"]),
            st.none()
            | st.text()
            | st.integers()
            | st.dictionaries(
                st.sampled_from(["APP_NAME", "PORTS", "EXECUTOR_HOST", "CURRENT_STATE"]),
                st.none() | st.text() | st.integers() | st.just("main:1:http,:x:,a:99999999:b"),
            ),
        )
    )
)
def test_any_events_are_read(events: list[dict[str, object]]) -> None:
    data = {"events": events, "lastSyncTime": 5}
    page = events_page(json.dumps({"status": "SUCCESS", "data": data}).encode(), requested=0)
    assert len(page.events) == len(events)
    Announcements().heard(page.events, 0.0, settling=False)


def test_the_last_of_several_events_in_a_millisecond_counts() -> None:
    """They are listed newest first, too."""
    states = ("HEALTHY", "READY", "UNREADY")
    events = [
        {
            "type": "INSTANCE_STATE_CHANGE",
            "id": f"e{number}",
            "time": 1000,
            "metadata": {
                "CURRENT_STATE": state,
                "EXECUTOR_HOST": "ex1.dc",
                "PORTS": "main:8000:http",
            },
        }
        for number, state in enumerate(states)
    ]
    data = {"events": events, "lastSyncTime": 1000}
    page = events_page(json.dumps({"status": "SUCCESS", "data": data}).encode(), requested=0)
    assert [event.state for event in page.events] == ["UNREADY", "READY", "HEALTHY"]
    heard = Announcements().heard(page.events, 0.0, settling=False)
    assert heard.announced.instances == frozenset()
