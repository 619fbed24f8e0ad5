"""`init` writes a configuration and a template that work as any user, in a directory."""

import asyncio
from pathlib import Path

import pytest
from tests.cli.conftest import Call
from tests.proxies.nginx.lua.rig import lua_program

from drove_gateway.config import load
from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped
from drove_gateway.templates.starter import STARTERS, Starter
from drove_gateway.templates.variables import VARIABLES


@pytest.mark.parametrize("proxy", sorted(STARTERS))
async def test_written_files_are_accepted_by_the_proxy(
    call: Call, directory: Path, short_path: Path, proxy: str
) -> None:
    assert directory.is_dir()
    edge = short_path / "edge"
    written = await asyncio.to_thread(call, "init", proxy, str(edge))
    file = edge / "nixy.toml"
    async with Simulator(Options(control_port=None)) as cluster:
        text = file.read_text()
        for number, url in enumerate(cluster.urls):
            text = text.replace(f'"http://127.0.0.1:{4000 + number}"', f'"{url}"')
        file.write_text(text)
        checked = await asyncio.to_thread(call, "check", "-f", str(file))

    assert written.exit_code == 0, written.output
    assert checked.exit_code == 0, checked.output
    assert "ok  proxy's check" in checked.output


@pytest.mark.parametrize("proxy", sorted(STARTERS))
def test_written_configuration_has_no_warning_and_no_path_outside(
    call: Call, directory: Path, proxy: str
) -> None:
    call("init", proxy)
    loaded = load(directory / "nixy.toml", {}, runs_here=False)
    paths = (loaded.settings.haproxy_config, loaded.settings.nginx_config)

    assert loaded.warnings == ()
    assert str(directory / f"{proxy}.{'cfg' if proxy == 'haproxy' else 'conf'}") in paths
    assert loaded.settings.state_persistence_dir == str(directory / "state")


@pytest.mark.parametrize("proxy", sorted(STARTERS))
def test_how_to_start_is_printed(call: Call, proxy: str) -> None:
    shown = call("init", proxy, "edge").output

    assert "drove-gateway check" in shown
    assert "drove-gateway status --wait 30" in shown
    assert "/edge/nixy.toml" in shown


async def test_files_for_nginx_with_lua_are_accepted_by_debians_nginx(
    call: Call, short_path: Path
) -> None:
    edge = short_path / "edge"
    written = await asyncio.to_thread(call, "init", "nginx", "--lua", str(edge))
    file = edge / "nixy.toml"
    loaded = load(file, {}, runs_here=False)
    assert written.exit_code == 0, written.output
    assert loaded.warnings == ()
    assert loaded.settings.nginxplusapiaddr == f"unix:{edge}/api.sock"
    assert (edge / "nginx.tmpl").read_text() == shipped("nginx-lua")
    async with Simulator(Options(control_port=None)) as cluster:
        text = file.read_text()
        text = text.replace(f'"{loaded.settings.nginx_argv[0]} ', f'"{lua_program()} ')
        for number, url in enumerate(cluster.urls):
            text = text.replace(f'"http://127.0.0.1:{4000 + number}"', f'"{url}"')
        file.write_text(text)
        checked = await asyncio.to_thread(call, "check", "-f", str(file))
    assert checked.exit_code == 0, checked.output


def test_the_configuration_is_not_readable_by_others(call: Call, directory: Path) -> None:
    assert call("init", "nginx", "edge").exit_code == 0

    assert (directory / "edge" / "nixy.toml").stat().st_mode & 0o007 == 0


def test_lua_is_for_nginx_only(call: Call) -> None:
    result = call("init", "haproxy", "--lua")

    assert result.exit_code == 2
    assert "--lua is for nginx" in result.stderr


def test_existing_files_are_never_overwritten(call: Call, directory: Path) -> None:
    (directory / "nginx.tmpl").write_text("mine")
    result = call("init", "nginx")

    assert result.exit_code == 1
    assert "nginx.tmpl exists" in result.stderr
    assert (directory / "nginx.tmpl").read_text() == "mine"
    assert not (directory / "nixy.toml").exists()


@pytest.mark.parametrize("name", ["with blank", "quo'te", "x" * 120])
def test_directory_that_commands_and_sockets_cannot_name_is_refused(call: Call, name: str) -> None:
    result = call("init", "haproxy", name)

    assert result.exit_code == 1
    assert name in result.stderr
    assert not Path(name).exists()


def test_directory_that_cannot_be_made_is_an_error(call: Call, directory: Path) -> None:
    (directory / "file").write_text("")
    result = call("init", "haproxy", "file/edge")

    assert result.exit_code == 1
    assert "cannot write to" in result.stderr


@pytest.mark.parametrize("starter", STARTERS.values(), ids=lambda starter: starter.proxy)
def test_any_shipped_template_of_the_proxy_can_replace_the_written_template(
    starter: Starter,
) -> None:
    settings = starter.configuration(Path("/x"), starter.proxy).partition("[template]\n")[2]
    names = {line.split()[0] for line in settings.splitlines()}

    assert {"PROXY_HTTP_PORT", f"{starter.proxy.upper()}_USER"} <= names <= VARIABLES
    assert starter.template == shipped(starter.proxy)
