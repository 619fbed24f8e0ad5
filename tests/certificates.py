"""Certificates for tests, and clients that look which certificate a proxy serves."""

import asyncio
import contextlib
import hashlib
import ssl
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path


def write_certificate(file: Path, name: str, days: int = 30) -> str:
    """Replace `file`, as renewing clients do, by a new certificate for `name`, with its key.

    Returns its fingerprint.
    """
    made = file.with_suffix(".new")
    key = file.with_suffix(".key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", str(days), "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(made)),
        ],
        check=True,
        capture_output=True,
    )
    text = made.read_text()
    made.write_text(f"{text}\n{key.read_text()}")
    made.chmod(0o644)
    key.unlink()
    made.replace(file)
    return hashlib.sha1(ssl.PEM_cert_to_DER_cert(text)).hexdigest().upper()  # noqa: S324


async def served(port: int, name: str) -> tuple[int, str]:
    """Return the status of a request for `name`, and the fingerprint of the certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    try:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        status = int((await reader.readline()).split()[1])
        return status, hashlib.sha1(der).hexdigest().upper()  # noqa: S324
    finally:
        writer.close()


@dataclass
class Handshakes:
    """What clients that connect anew all the time were served, and what failed."""

    fingerprints: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


@contextlib.asynccontextmanager
async def handshakes(port: int, name: str, clients: int = 3) -> AsyncIterator[Handshakes]:
    """Connect to `name` again and again until the block ends."""
    seen = Handshakes()

    async def client() -> None:
        while True:
            try:
                status, fingerprint = await served(port, name)
            except (OSError, IndexError, ValueError) as error:
                seen.failures.append(repr(error))
            else:
                seen.fingerprints[fingerprint] += 1
                if status != 200:
                    seen.failures.append(str(status))

    tasks = [asyncio.create_task(client()) for _ in range(clients)]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
