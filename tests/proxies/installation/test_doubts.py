"""A doubt lasts until an install that began after it succeeds."""

from drove_gateway.proxies.installation.doubts import Doubts


def test_a_successful_install_resolves_what_it_began_with() -> None:
    doubts = Doubts("the gateway started")
    doubts.add("SIGHUP")
    doubts.begin()
    assert doubts.reasons == ("the gateway started", "SIGHUP")
    doubts.resolve()
    assert not doubts.reasons


def test_a_doubt_that_comes_while_an_install_runs_is_left_for_the_next() -> None:
    """Also where the install began because of the same doubt: what it read may be older."""
    doubts = Doubts("SIGHUP")
    doubts.begin()
    doubts.add("SIGHUP")
    doubts.add("drift")
    doubts.resolve()
    assert doubts.reasons == ("SIGHUP", "drift")


def test_a_failed_install_resolves_nothing() -> None:
    doubts = Doubts("SIGHUP")
    doubts.begin()
    doubts.add("drift")
    doubts.begin()
    assert doubts.reasons == ("SIGHUP", "drift")
    doubts.resolve()
    assert not doubts.reasons
