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


_SPECIFICATION = """\
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
Name: drove-gateway
Version: 2.1beta1
Release: 1
Summary: Mimics the original
License: none
AutoReqProv: no
%description
Mimics the original.
%install
cp -a {tree}/. %{{buildroot}}
%files
{config} /etc/nixy/nixy.toml
{config} /etc/nixy/haproxy.tmpl
/usr/bin/nixy
/lib/systemd/system/drove.gateway.service
"""


def _tree(directory: Path, config: str, template: str) -> Path:
    tree = directory / "original"
    files = {
        "etc/nixy/nixy.toml": config,
        "etc/nixy/haproxy.tmpl": template,
        "lib/systemd/system/drove.gateway.service": UNIT,
        "usr/bin/nixy": _PROGRAM,
    }
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / "usr/bin/nixy").chmod(0o755)
    return tree


def original(directory: Path, config: str, template: str, *, conffile: bool) -> Path:
    """Return a package with this configuration and template, as plain files or as conffiles."""
    tree = _tree(directory, config, template)
    (tree / "DEBIAN").mkdir()
    architecture = done("dpkg", "--print-architecture").strip()
    (tree / "DEBIAN/control").write_text(_CONTROL.format(architecture=architecture))
    if conffile:
        (tree / "DEBIAN/conffiles").write_text(f"{CONFIG}\n/etc/nixy/haproxy.tmpl\n")
    done("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, directory / "original.deb")
    return directory / "original.deb"


def original_rpm(directory: Path, config: str, template: str, *, conffile: bool) -> Path:
    """Return the same as an RPM, as plain files or as configuration that RPM knows."""
    tree = _tree(directory, config, template)
    specification = directory / "original.spec"
    mark = "%config(noreplace)" if conffile else ""
    specification.write_text(_SPECIFICATION.format(tree=tree, config=mark))
    done(
        *("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {directory}/rpm"),
        specification,
    )
    (package,) = (directory / "rpm").glob("RPMS/*/*.rpm")
    return package
