"""What a build says of itself."""

from drove_gateway.model.about import About, described


def test_a_release_build_tells_its_commit_and_date() -> None:
    about = described("1.2.3", b'{"commit": "5bddd50", "date": "2026-11-22T22:53:34Z"}')

    assert about == About("1.2.3", "5bddd50", "2026-11-22T22:53:34Z")
    assert about.lines() == "version: 1.2.3\ncommit: 5bddd50\ndate: 2026-11-22T22:53:34Z\n"


def test_what_was_not_stamped_is_unknown() -> None:
    assert described("1.2.3", b"{}") == About("1.2.3", "unknown", "unknown")
    assert described("1.2.3", b'{"commit": "5bddd50"}').date == "unknown"
