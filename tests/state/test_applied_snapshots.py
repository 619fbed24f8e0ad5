"""Only forms that were applied are kept as last good ones."""

from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.state.applied_snapshots import applied_snapshots


def app(vhost: str, host: str) -> AppEndpoints:
    return AppEndpoints(vhost, f"{vhost}-1", vhost, {}, (Host(host, 80, "http"),))


def snapshot(*apps: AppEndpoints) -> Snapshot:
    return Snapshot("stage", Leader("http://c1:4000", "c1", 4000), apps)


def test_what_was_applied_is_kept_as_it_is() -> None:
    accepted = {"stage": snapshot(app("web.local", "10.0.0.1"))}
    assert applied_snapshots(accepted, {}, set()) is accepted


def test_a_failed_vhost_stays_in_its_last_good_form() -> None:
    kept = {"stage": snapshot(app("web.local", "10.0.0.1"), app("api.local", "10.0.0.2"))}
    accepted = {"stage": snapshot(app("web.local", "bad.name"), app("api.local", "10.0.0.3"))}
    assert applied_snapshots(accepted, kept, {"web.local"}) == {
        "stage": snapshot(app("api.local", "10.0.0.3"), app("web.local", "10.0.0.1"))
    }


def test_a_failed_vhost_that_never_was_good_is_not_kept() -> None:
    accepted = {"stage": snapshot(app("web.local", "bad.name"), app("api.local", "10.0.0.3"))}
    assert applied_snapshots(accepted, {}, {"web.local"}) == {
        "stage": snapshot(app("api.local", "10.0.0.3"))
    }
