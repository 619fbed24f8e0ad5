"""The program's first lines where PyInstaller bundles it."""

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
    """Give what this program starts, such as the proxy's check, the environment that we were given.

    PyInstaller's start points it to our libraries, which are not the ones that the proxy is for.
    """
    for name in [name for name in os.environ if name.startswith("_PYI_")]:
        del os.environ[name]
    given = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if given is not None:
        os.environ["LD_LIBRARY_PATH"] = given


def trust_what_the_system_trusts() -> None:
    """Name the authorities to OpenSSL, which looks for them where the building system has them."""
    if ssl.get_default_verify_paths().cafile or "SSL_CERT_FILE" in os.environ:
        return
    file = next((name for name in _AUTHORITIES if Path(name).exists()), None)
    if file is not None:
        os.environ["SSL_CERT_FILE"] = file


def live_with(unpacker: int) -> None:
    """Act with the process that unpacked us, waits for us, and then removes what it unpacked.

    When systemd names a process for its watchdog, it is that one. When it is killed, we are asked
    to end, and remove what it unpacked.
    """
    if os.environ.get("WATCHDOG_PID") == str(unpacker):
        os.environ["WATCHDOG_PID"] = str(os.getpid())
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    atexit.register(remove_unpacked, unpacker)


def remove_unpacked(unpacker: int) -> None:
    """Remove the unpacked files when nobody else is there to do so."""
    if os.getppid() != unpacker:
        shutil.rmtree(sys._MEIPASS, ignore_errors=True)


restore_environment()
trust_what_the_system_trusts()
if Path(sys._MEIPASS).parent != Path(sys.executable).parent:
    live_with(os.getppid())

from drove_gateway.cli import main  # noqa: E402  # the environment comes first

main(prog_name=Path(sys.argv[0]).name)
