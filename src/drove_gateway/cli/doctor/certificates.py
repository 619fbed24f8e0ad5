"""Read when certificates expire: from files and from servers; every wait has a limit."""

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from drove_gateway.files.certificate import UnreadableCertificate, expiries, expiry
from drove_gateway.files.regular import read_regular
from drove_gateway.model.wording import printable

_MOST_FILES = 2_000
_MOST_BYTES = 4 << 20
_SECONDS = 5.0

Expiries = Mapping[str, datetime]
Problems = tuple[str, ...]


def read_expiries(paths: Iterable[Path]) -> tuple[Expiries, Problems]:
    """Return when the first certificate to expire of each file does, and what cannot be read.

    A directory stands for its files; those without a certificate, such as keys, are passed over.
    """
    found: dict[str, datetime] = {}
    problems: list[str] = []
    for number, path in enumerate(_files(dict.fromkeys(paths), problems)):
        if number == _MOST_FILES:
            problems.append(f"certificates beyond the first {_MOST_FILES:,} files")
            break
        try:
            ends = list(expiries(read_regular(path, _MOST_BYTES).decode(errors="replace")))
        except (OSError, UnreadableCertificate) as error:
            problems.append(f"certificate {path}: {_cause(error)}")
            continue
        if ends:
            found[str(path)] = min(ends)
    return found, tuple(problems)


async def server_expiries(urls: Iterable[str]) -> tuple[Expiries, Problems]:
    """Return when the certificate of each https URL's server expires, and what cannot be read."""
    secure = [url for url in dict.fromkeys(urls) if url.startswith("https://")]
    results = await asyncio.gather(*(_of_server(url) for url in secure))
    pairs = list(zip(secure, results, strict=True))
    return (
        {url: end for url, end in pairs if isinstance(end, datetime)},
        tuple(f"certificate of {url}: {why}" for url, why in pairs if isinstance(why, str)),
    )


async def _of_server(url: str) -> datetime | str:
    parts = urlsplit(url)
    context = ssl.create_default_context()
    # Only the date is read: whether the gateway trusts the server is another matter.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port or 443, ssl=context
            )
    except (OSError, ValueError) as error:
        return printable(getattr(error, "strerror", "") or str(error) or "no response in time", 200)
    connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.transport.abort()
    try:
        return expiry(connection.getpeercert(binary_form=True) or b"")
    except UnreadableCertificate as error:
        return str(error)


def _files(paths: Iterable[Path], problems: list[str]) -> Iterator[Path]:
    """Yield the files; add to `problems` which paths are hidden from this user, and why."""
    for path in paths:
        try:
            files = _within(path)
        except OSError as error:
            problems.append(f"certificate {path}: {_cause(error)}")
        else:
            yield from files


def _within(path: Path) -> Sequence[Path]:
    """The file itself, or the files of a directory. Raises OSError."""
    if not path.is_dir():
        return (path,)
    return sorted(child for child in path.iterdir() if child.is_file())


def _cause(error: OSError | UnreadableCertificate) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
