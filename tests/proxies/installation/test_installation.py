"""Installation on a real NGINX: every failure leaves the traffic and a file to start from."""

import socket
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import msgspec
import pytest
from tests.proxies.nginx_rig import TEMPLATE, Rig, rigged, topology
from tests.waiting import until

from drove_gateway.model.errors import (
    CheckRefused,
    CommandFailed,
    CommandTimeout,
    GenerationUnproven,
    ProxyError,
    RenderError,
)
from drove_gateway.model.health import HealthSection
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.subprocess_runner import run_ok


@pytest.fixture
async def rig(nginx: Path, short_path: Path) -> AsyncIterator[Rig]:
    async with rigged(nginx, short_path) as made:
        yield made


async def test_an_installed_generation_serves(rig: Rig) -> None:
    installation = rig.installation()
    installed = await installation.install(topology(web=3))
    await rig.serves(web=3, other=None)
    assert installed.reloaded
    assert installation.current is not None
    assert rig.config.read_text() == installation.current.text
    stages = [name for name, _ in installed.seconds]
    assert stages == ["render", "write", "check", "swap", "reload", "prove"]
    assert rig.left_beside == []


async def test_a_configuration_that_already_serves_is_not_reloaded(rig: Rig) -> None:
    installation = rig.installation()
    await installation.install(topology(web=3))
    again = await installation.install(topology(web=3))
    assert not again.reloaded
    assert rig.reloads == 1


async def test_a_gateway_that_starts_again_recognises_the_generation_that_serves(rig: Rig) -> None:
    first, second = rig.installation(), rig.installation()
    await first.install(topology(web=3))
    assert not (await second.install(topology(web=3))).reloaded
    assert second.current == first.current
    assert rig.reloads == 1


async def test_a_file_that_was_written_but_not_loaded_is_loaded(rig: Rig) -> None:
    assert await rig.installation().write(topology(web=3))
    assert rig.reloads == 0
    assert (await rig.installation().install(topology(web=3))).reloaded
    await rig.serves(web=3)


async def test_a_refused_configuration_changes_nothing_and_is_explained(rig: Rig) -> None:
    await rig.installation().install(topology(web=3))
    before = rig.config.read_text()
    rig.write_template(TEMPLATE.replace("access_log off;", "access_log off;\n    nonsense on;"))
    with pytest.raises(CheckRefused) as caught:
        await rig.installation().install(topology(web=4))
    assert caught.value.line == 7
    assert "nonsense" in caught.value.output
    for words in ("at line 7 (nonsense on;", "line 7 of nginx.tmpl", "stays as it is"):
        assert words in str(caught.value)
    assert "tmp-" not in str(caught.value)
    assert rig.config.read_text() == before
    await rig.serves(web=3)
    assert rig.reloads == 1
    assert rig.left_beside == []


async def test_a_reload_that_exits_with_0_but_cannot_bind_its_port_is_unproven(rig: Rig) -> None:
    """`nginx -s reload` ends with 0; the old generation keeps serving, and so must its file."""
    installation = rig.installation()
    await installation.install(topology(web=3))
    before = rig.config.read_text()
    rig.timeout = 2.0
    installation = rig.installation()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"server {{ listen 127.0.0.1:{taken.getsockname()[1]}; }}"
        rig.write_template(TEMPLATE.replace("access_log off;", f"access_log off; {listen}"))
        with pytest.raises(GenerationUnproven, match="port is in use"):
            await installation.install(topology(web=4))
        assert rig.config.read_text() == before
        await rig.serves(web=3)
    await installation.install(topology(web=4))
    await rig.serves(web=4)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        pytest.param(("false",), CommandFailed, id="failing"),
        pytest.param(("sleep", "600"), CommandTimeout, id="hanging"),
        pytest.param(("no-such-program",), CommandFailed, id="missing"),
    ],
)
async def test_a_failed_reload_restores_the_file_and_can_be_retried(
    rig: Rig, command: tuple[str, ...], error: type[ProxyError]
) -> None:
    fails = False
    works = rig.platform()

    async def reload() -> None:
        if fails:
            await run_ok(command, timeout=0.5)
        elif works.reload:
            await works.reload()

    installation = rig.installation(msgspec.structs.replace(works, reload=reload))
    await installation.install(topology(web=3))
    before = rig.config.read_text()
    fails = True
    with pytest.raises(error):
        await installation.install(topology(web=4))
    assert rig.config.read_text() == before
    await rig.serves(web=3)
    fails = False
    assert (await installation.install(topology(web=4))).reloaded
    await rig.serves(web=4)


async def test_a_first_reload_that_fails_restores_the_operators_own_file(rig: Rig) -> None:
    own = rig.config.read_text()
    rig.command = ("false",)
    with pytest.raises(CommandFailed):
        await rig.installation(rig.platform(ignore_check=True)).install(topology(web=3))
    assert rig.config.read_text() == own


async def test_the_check_may_be_ignored(rig: Rig) -> None:
    installed = await rig.installation(rig.platform(ignore_check=True)).install(topology(web=3))
    assert "check" in [name for name, _ in installed.seconds]
    await rig.serves(web=3)


TAGGED = TEMPLATE.replace(
    "server_name {{.Vhost}};", "server_name {{.Vhost}}; {{with .Tags.lb}}{{.}};{{end}}"
)


def with_a_bad_tag(**servers: int) -> Topology:
    """Vhosts by their number of servers; NGINX refuses the tag of `bad`."""
    desired = topology(**servers)
    bad = msgspec.structs.replace(desired.apps["bad"], tags={"lb": "nonsense"})
    return msgspec.structs.replace(desired, apps={**desired.apps, "bad": bad})


def noting_what_is_loaded(rig: Rig, loaded: list[str]) -> Platform:
    """Return the platform without a check; each reload adds the text of the file to `loaded`."""
    works = rig.platform(ignore_check=True)

    async def reload() -> None:
        loaded.append(rig.config.read_text())
        if works.reload:
            await works.reload()

    return msgspec.structs.replace(works, reload=reload)


async def test_without_a_check_the_refusal_of_the_reload_finds_the_culprit(rig: Rig) -> None:
    """The target may be a fragment, which only the whole configuration can be checked with."""
    rig.write_template(TAGGED)
    loaded: list[str] = []
    installation = rig.installation(noting_what_is_loaded(rig, loaded))
    await installation.install(topology(web=3))

    installed = await installation.install(with_a_bad_tag(web=4, bad=1, other=2))

    await rig.serves(web=4, other=2, bad=None)
    assert [name for name, _ in installed.failed] == ["bad"]
    assert "nonsense" in installed.failed[0][1]
    assert all("server_name web;" in text for text in loaded), "web was out of traffic meanwhile"
    await rig.installation(rig.platform(ignore_check=True)).install(topology(web=5))
    await rig.serves(web=5)


async def test_without_a_check_and_a_last_good_form_nothing_is_tried_on_the_proxy(
    rig: Rig,
) -> None:
    """The first start beside a proxy that serves: each trial would replace what it serves."""
    rig.write_template(TAGGED)
    own = rig.config.read_text()
    loaded: list[str] = []
    installation = rig.installation(noting_what_is_loaded(rig, loaded))

    with pytest.raises(CommandFailed, match="nothing is left out"):
        await installation.install(with_a_bad_tag(web=3, bad=1))

    assert rig.config.read_text() == own
    assert len(loaded) == 1
    assert "nonsense" in loaded[0]


async def test_a_template_that_cannot_be_loaded_gives_way_to_the_last_good_template(
    rig: Rig,
) -> None:
    rig.timeout = 2.0
    installation = rig.installation()
    await installation.install(topology(web=3))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"server {{ listen 127.0.0.1:{taken.getsockname()[1]}; }}"
        rig.write_template(TEMPLATE.replace("access_log off;", f"access_log off; {listen}"))
        for servers in (4, 5):
            await installation.install(topology(web=servers))
            await rig.serves(web=servers)
            message = installation.template_health().message
            assert "passes the check, but" in message
            assert "the last good template is used instead" in message
    reloads = rig.reloads
    rig.write_template(TEMPLATE.replace("{{len .Hosts}}", "7"))
    await installation.install(topology(web=6))
    await rig.serves(web=7)
    assert installation.template_health() == HealthSection()
    assert rig.reloads == reloads + 1


async def test_reloads_may_be_left_to_others(rig: Rig) -> None:
    installation = rig.installation(rig.platform(reload_disabled=True))
    installed = await installation.install(topology(web=3))
    assert not installed.reloaded
    assert installation.current is not None
    assert rig.config.read_text() == installation.current.text


async def test_without_a_mark_the_exit_code_is_believed(rig: Rig) -> None:
    rig.write_template(TEMPLATE.replace("drove-gateway:", "no mark:"))
    installation = rig.installation()
    assert (await installation.install(topology(web=3))).reloaded
    assert not (await installation.install(topology(web=3))).reloaded
    await rig.serves(web=3)


class TestTheTemplate:
    async def test_without_a_good_template_its_problem_is_raised(self, rig: Rig) -> None:
        rig.write_template("{{range}}")
        with pytest.raises(RenderError, match=r"nginx\.tmpl:1"):
            await rig.installation().install(topology(web=3))

    @pytest.mark.parametrize(
        ("broken", "problem"),
        [
            pytest.param(TEMPLATE + "{{", "nginx.tmpl:13", id="it cannot be parsed"),
            pytest.param(TEMPLATE + "{{.Nope}}", "can't evaluate field Nope", id="nor executed"),
            pytest.param(TEMPLATE + "nope;", "nope", id="nor does the proxy take it"),
        ],
    )
    async def test_the_last_good_template_keeps_serving_changes(
        self, rig: Rig, broken: str, problem: str
    ) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        rig.write_template(broken)
        await installation.install(topology(web=4))
        await rig.serves(web=4)
        assert problem in installation.template_health().message
        assert "last good template" in installation.template_health().message
        assert rig.left_beside == []

    async def test_a_repaired_template_is_used(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        rig.write_template("{{")
        await installation.install(topology(web=3))
        rig.write_template(TEMPLATE.replace("{{len .Hosts}}", "7"))
        await installation.install(topology(web=3))
        await rig.serves(web=7)
        assert installation.template_health() == HealthSection()


class TestWritingOnlyTheFile:
    async def test_the_proxy_is_not_reloaded(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        assert await installation.write(topology(web=4))
        assert not await installation.write(topology(web=4))
        assert 'return 200 "4"' in rig.config.read_text()
        assert rig.reloads == 1
        await rig.serves(web=3)

    async def test_a_changed_template_waits_for_a_reload(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        rig.write_template(TEMPLATE.replace("{{len .Hosts}}", "7"))
        assert not await installation.write(topology(web=4))
        await installation.install(topology(web=4))
        assert await installation.write(topology(web=5, api=1))
        await rig.serves(web=7)

    async def test_a_refused_file_is_not_written(self, rig: Rig) -> None:
        rig.write_template(TEMPLATE + "nope;")
        before = rig.config.read_text()
        with pytest.raises(CheckRefused):
            await rig.installation().write(topology(web=4))
        assert rig.config.read_text() == before


class TestDrift:
    async def test_nothing_drifts_before_the_first_generation(self, rig: Rig) -> None:
        assert await rig.installation().drift() == ""

    async def test_the_installed_generation_has_not_drifted(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        await until(lambda: _says(installation.drift(), ""))

    async def test_a_changed_file_has_drifted(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        rig.config.write_text(rig.config.read_text() + "# mine\n")
        assert (
            await installation.drift() == f"{rig.config} was changed by another program or manually"
        )

    async def test_another_serving_generation_has_drifted(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        installed = rig.config.read_text()
        other = rig.installation()
        await other.install(topology(web=4))
        assert other.current is not None
        generation = other.current.generation
        rig.config.write_text(installed)
        await until(lambda: _says(installation.drift(), generation))

    async def test_a_proxy_that_is_down_has_not_drifted(self, rig: Rig) -> None:
        installation = rig.installation()
        await installation.install(topology(web=3))
        await run_ok((*rig.command, "-c", str(rig.config), "-s", "stop"), timeout=20)
        await until(lambda: _says(installation.drift(), ""))


async def _says(drift: Awaitable[str], words: str) -> bool:
    reason = await drift
    return words in reason if words else not reason
