"""Find the programs of commands that the configuration names."""

import os
import shutil

_SYSTEM = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def find_program(name: str, path: str | None = None) -> str | None:
    """Return the path of the program `name`, or None if it is not installed.

    `path` is the search path, by default that of the process. The directories of system programs
    are searched too: Debian installs HAProxy and NGINX there, and a user's PATH does not name them.
    """
    directories = os.environ.get("PATH", os.defpath) if path is None else path
    return shutil.which(name, path=os.pathsep.join((directories, *_SYSTEM)))
