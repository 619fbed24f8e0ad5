"""Commands for NGINX name the configuration, so that they never reach another NGINX."""

from pathlib import Path

import pytest
from tests.waiting import until

from drove_gateway.config import load
from drove_gateway.proxies.nginx.platform import nginx_platform


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param("", "-c {config} -s reload", id="names the file"),
        pytest.param(" -c /own.conf", "-c /own.conf -s reload", id="keeps an own -c"),
    ],
)
async def test_reload_names_the_configuration_file(
    tmp_path: Path, arguments: str, expected: str
) -> None:
    called, program = tmp_path / "called", tmp_path / "nginx"
    program.write_text(f'#!/bin/sh\necho "$*" > {called}\n')
    program.chmod(0o755)
    config, file = tmp_path / "nginx.conf", tmp_path / "nixy.toml"
    file.write_text(
        f'nginx_config = "{config}"\nnginx_template = "x"\nnginx_cmd = "{program}{arguments}"\n'
        '[[namespaces]]\nname = "stage"\ndrove = ["http://127.0.0.1:1"]\n'
    )
    platform = nginx_platform(load(file, {}).settings)
    assert platform.reload is not None
    await platform.reload()

    await until(called.exists)
    assert called.read_text().strip() == expected.format(config=config)
