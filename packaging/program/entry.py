"""Entry point of the program that PyInstaller bundles."""

import atexit
import ctypes
import os
import shutil
import signal
import ssl
import sys
from pathlib import Path

_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def restore_environment() -> None:
    """Restore the original environment for the processes that this program starts.

    PyInstaller points LD_LIBRARY_PATH to the bundled libraries, which do not fit the proxy.
    """
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]
    given = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if given is not None:
        os.environ["LD_LIBRARY_PATH"] = given


def trust_what_the_system_trusts() -> None:
    """Set the path of the TLS authorities; OpenSSL uses that of the build system."""
    if ssl.get_default_verify_paths().cafile or "SSL_CERT_FILE" in os.environ:
        return
    file = next((name for name in _AUTHORITIES if Path(name).exists()), None)
    if file is not None:
        os.environ["SSL_CERT_FILE"] = file


def live_with(unpacker: int) -> None:
    """Cooperate with the parent process, which unpacked the program and removes the files at exit.

    systemd's watchdog may name the parent. If the parent is killed, this process gets SIGTERM and
    removes the files instead.
    """
    if os.environ.get("WATCHDOG_PID") == str(unpacker):
        os.environ["WATCHDOG_PID"] = str(os.getpid())
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    atexit.register(remove_unpacked, unpacker)


def remove_unpacked(unpacker: int) -> None:
    """Remove the unpacked files if the parent process is gone."""
    if os.getppid() != unpacker:
        shutil.rmtree(sys._MEIPASS, ignore_errors=True)


restore_environment()
trust_what_the_system_trusts()
if Path(sys._MEIPASS).parent != Path(sys.executable).parent:
    live_with(os.getppid())

from drove_gateway.cli import main  # noqa: E402  # after the environment

main(prog_name=Path(sys.argv[0]).name)
