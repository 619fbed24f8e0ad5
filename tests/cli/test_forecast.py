"""What a start would serve: responses, judged against the state stored for the same controllers."""

from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.cli.forecast import Forecast, forecast
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.state.document import StoredNamespace
from drove_gateway.topology.namespace_build import NamespaceRules

URLS = ("http://c1:4000", "http://c2:4000")
LIMITS = GuardLimits(vhost=1.0, namespace=0.5, overall=0.5, exempt=0, hold=60.0)
RULES = (NamespaceRules("stage"), NamespaceRules("prod"))


def snapshot(namespace: str, **apps: int) -> Snapshot:
    return Snapshot(
        namespace,
        Leader(URLS[0], "c1", 4000),
        tuple(
            AppEndpoints(
                name,
                f"{name}-1",
                f"{name}.local",
                {},
                tuple(Host(f"10.0.0.{number}", 80, "http") for number in range(1, count + 1)),
            )
            for name, count in apps.items()
        ),
    )


def stored(snapshot: Snapshot, urls: tuple[str, ...] = URLS) -> dict[str, StoredNamespace]:
    return {snapshot.namespace: StoredNamespace(snapshot, urls, 1000.0)}


def seen(answers: list[Snapshot], known: dict[str, StoredNamespace]) -> Forecast:
    given = {each.namespace: each for each in answers}
    return forecast(given, known, {"stage": URLS, "prod": URLS}, RULES, LIMITS)


def served(found: Forecast) -> dict[str, int]:
    return {vhost: len(app.hosts) for vhost, app in found.built.topology.apps.items()}


def test_responses_count_as_they_are_without_a_stored_state() -> None:
    found = seen([snapshot("stage", web=3)], {})
    assert served(found) == {"web.local": 3}
    assert found.applied is None
    assert found.held == ()


def test_held_withdrawal_keeps_its_servers() -> None:
    found = seen([snapshot("stage", web=1)], stored(snapshot("stage", web=4)))
    assert served(found) == {"web.local": 4}
    assert [(held.namespace, held.servers) for held in found.held] == [("stage", 3)]


def test_small_loss_is_held_by_a_start_until_its_servers_were_probed() -> None:
    found = seen([snapshot("stage", web=3)], stored(snapshot("stage", web=4)))
    assert served(found) == {"web.local": 4}
    assert [held.servers for held in found.held] == [1]


def test_stored_state_of_another_cluster_does_not_count() -> None:
    past = stored(snapshot("stage", web=4), ("http://other:4000",))
    assert served(seen([snapshot("stage", web=1)], past)) == {"web.local": 1}


def test_namespace_without_a_response_is_served_from_the_stored_state() -> None:
    found = seen([snapshot("stage", web=1)], stored(snapshot("prod", api=2)))
    assert served(found) == {"web.local": 1, "api.local": 2}
    assert dict(found.restored) == {"prod": 1000.0}


def test_stored_topology_is_returned_for_the_reasons_of_a_reload() -> None:
    found = seen([snapshot("stage", web=1, new=1)], stored(snapshot("stage", web=1)))
    assert found.applied is not None
    assert list(found.applied.apps) == ["web.local"]
    assert sorted(found.built.topology.apps) == ["new.local", "web.local"]
