"""What an operator does about a file that cannot be written."""

import errno
from pathlib import Path

import pytest

from drove_gateway.files.remedy import remedy


@pytest.mark.parametrize(
    ("number", "what_to_do"),
    [
        (errno.ENOSPC, "free space on the disk of /etc/nginx"),
        (errno.EDQUOT, "free space on the disk of /etc/nginx"),
        (errno.EROFS, "make /etc/nginx writable for this user"),
        (errno.EACCES, "make /etc/nginx writable for this user"),
        (errno.EIO, "check /etc/nginx; this is retried"),
    ],
)
def test_the_remedy_follows_the_reason(number: int, what_to_do: str) -> None:
    assert remedy(OSError(number, "reason"), Path("/etc/nginx")) == what_to_do
