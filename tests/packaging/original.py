"""A package that mimics the original's: its name, version, files, unit and alias."""

from pathlib import Path

from tests.packaging.machine import done

CONFIG = "/etc/nixy/nixy.toml"
UNIT = """\
[Unit]
Description=Drove gateway
[Service]
WorkingDirectory=/etc/nixy
ExecStart=/usr/bin/nixy -f /etc/nixy/nixy.toml 2>&1 | logger -t nixy
Restart=always
[Install]
WantedBy=multi-user.target
Alias=nixy.service
"""
_PROGRAM = "#!/bin/sh\necho the original >&2\nexec sleep infinity\n"
_CONTROL = """\
Package: drove-gateway
Version: 2.1beta1
Architecture: {architecture}
Maintainer: The original <nobody@example.com>
Description: mimics the original
"""


def original(directory: Path, config: str, template: str, *, conffile: bool) -> Path:
    """Return a package with this configuration and template, as plain files or as conffiles."""
    tree = directory / "original"
    files = {
        "DEBIAN/control": _CONTROL.format(
            architecture=done("dpkg", "--print-architecture").strip()
        ),
        "etc/nixy/nixy.toml": config,
        "etc/nixy/haproxy.tmpl": template,
        "lib/systemd/system/drove.gateway.service": UNIT,
        "usr/bin/nixy": _PROGRAM,
    }
    if conffile:
        files["DEBIAN/conffiles"] = f"{CONFIG}\n/etc/nixy/haproxy.tmpl\n"
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "usr/bin/nixy").chmod(0o755)
    done("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, directory / "original.deb")
    return directory / "original.deb"
