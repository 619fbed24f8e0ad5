"""What the reconciler keeps, counts and logs of its work."""

import pytest
from tests.reconciler.story import FakeProxy, ReconcilerRun, at, run_story

from drove_gateway.model.errors import CheckRefused, RenderError


def test_each_apply_is_kept_with_times_and_reasons() -> None:
    async def story(run: ReconcilerRun) -> None:
        await at(3)
        run.desire("namespace stage", web=1)

    run = run_story(story, FakeProxy(takes=2))
    [record] = run.history
    assert record.at == 5003
    assert record.took == pytest.approx(2)
    assert record.triggers == ("namespace stage",)
    assert record.reasons == ("vhost web added",)
    assert record.error == ""
    assert run.metrics.records == run.history
    assert run.levels() == ["info"]


def test_reloads_and_renderings_are_counted() -> None:
    proxy = FakeProxy()
    proxy.fail = [RenderError("line 3"), CheckRefused("no")]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)

    counted = run_story(story, proxy).metrics
    assert counted.failed == 2
    assert counted.rendered == [False, True]
    assert len(counted.succeeded) == 1


def test_a_failure_is_logged_with_what_is_unaffected() -> None:
    proxy = FakeProxy()
    proxy.fail = [CheckRefused("nginx says no")]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)

    [first, _] = run_story(story, proxy).logged.calls
    assert first.method_name == "error"
    assert "the gateway retries" in first.kwargs["msg"]
    assert first.kwargs["error"] == "nginx says no"


def test_it_reports_how_long_a_step_has_been_running() -> None:
    seen: list[float] = []

    async def story(run: ReconcilerRun) -> None:
        seen.append(run.reconciler.busy_seconds())
        run.desire(web=1)
        await at(3)
        seen.append(round(run.reconciler.busy_seconds(), 3))
        await at(6)
        seen.append(run.reconciler.busy_seconds())

    run_story(story, FakeProxy(takes=5.0))
    assert seen == [0.0, 3.0, 0.0]
