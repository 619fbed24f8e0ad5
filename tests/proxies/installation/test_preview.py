"""Whether a proxy would be reloaded, and why, is known without touching it."""

from pathlib import Path

import pytest

from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.preview import look_at_generation
from drove_gateway.proxies.installation.render import Rendered

URL = "http://127.0.0.1:6081/generation"
MADE = Rendered("one\ntwo\n", "new", URL)


async def reload() -> None:
    raise AssertionError("a preview reloads nothing")


def proxy(config: Path, *, reloads: bool = True) -> Platform:
    return Platform("nginx", config, None, reload if reloads else None)


class Asked:
    """Answers with a generation; `urls` are where it was asked."""

    def __init__(self, generation: str | None) -> None:
        self.generation = generation
        self.urls: list[str] = []

    async def __call__(self, url: str) -> str | None:
        self.urls.append(url)
        return self.generation


@pytest.mark.parametrize(
    ("on_disk", "generation", "reasons", "notes"),
    [
        pytest.param(
            "one\ntwo\n", "new", [], ["nginx already serves generation new"], id="it serves"
        ),
        pytest.param(
            "one\ntwo\n", "old", ["nginx serves generation old, not new"], [], id="not loaded yet"
        ),
        pytest.param("one\n", "old", ["changes: +1 -0 lines"], [], id="the file differs"),
        pytest.param(None, "old", ["does not exist yet"], [], id="a new installation"),
        pytest.param(
            "one\ntwo\n",
            None,
            ["nginx does not return its generation"],
            ["is it running?"],
            id="it does not run",
        ),
    ],
)
async def test_the_file_and_the_running_generation_decide(
    tmp_path: Path,
    on_disk: str | None,
    generation: str | None,
    reasons: list[str],
    notes: list[str],
) -> None:
    config = tmp_path / "nginx.conf"
    if on_disk is not None:
        config.write_text(on_disk)
    asked = Asked(generation)

    seen = await look_at_generation(proxy(config), MADE, asked)

    assert len(seen.reload) == len(reasons)
    assert all(words in text for words, text in zip(reasons, seen.reload, strict=True))
    assert len(seen.notes) == len(notes)
    assert all(words in text for words, text in zip(notes, seen.notes, strict=True))
    assert asked.urls == [URL]
    assert sorted(tmp_path.iterdir()) == ([config] if on_disk is not None else [])


@pytest.mark.parametrize(
    ("serving", "reasons", "notes"),
    [
        pytest.param(
            "aaaaaaaa99999999",
            [],
            ["differ only in what the runtime API changes", "without a reload"],
        ),
        pytest.param("aaaaaaaa11111111", [], ["serves generation", "without a reload"]),
        pytest.param("bbbbbbbb11111111", ["changes: +1 -0 lines"], []),
    ],
)
async def test_with_a_runtime_api_different_servers_need_no_reload(
    tmp_path: Path, serving: str, reasons: list[str], notes: list[str]
) -> None:
    config = tmp_path / "haproxy.cfg"
    config.write_text("one\n")
    made = Rendered("one\ntwo\n", "aaaaaaaa11111111", URL, structured=True)

    seen = await look_at_generation(proxy(config), made, Asked(serving))

    assert len(seen.reload) == len(reasons)
    assert all(words in text for words, text in zip(reasons, seen.reload, strict=True))
    assert len(seen.notes) == len(notes)
    assert all(words in text for words, text in zip(notes, seen.notes, strict=True))


async def test_without_a_mark_the_proxy_is_not_asked(tmp_path: Path) -> None:
    config = tmp_path / "nginx.conf"
    config.write_text("one\n")
    asked = Asked("new")
    seen = await look_at_generation(proxy(config), Rendered("one\n", "new", None), asked)
    assert "no generation mark" in seen.reload[0]
    assert asked.urls == []


async def test_with_reloads_disabled_nothing_is_loaded(tmp_path: Path) -> None:
    config = tmp_path / "nginx.conf"
    seen = await look_at_generation(proxy(config, reloads=False), MADE, Asked("old"))
    assert seen.reload == ()
    assert "reloads are disabled" in seen.notes[0]


async def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    seen = await look_at_generation(proxy(tmp_path), MADE, Asked("old"))
    assert seen.reload == ()
    assert f"cannot read {tmp_path}: Is a directory" in seen.notes[0]
    assert not seen.complete
