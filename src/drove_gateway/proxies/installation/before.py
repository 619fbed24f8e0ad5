"""The file that was there before the gateway wrote its first: kept once, beside it.

The copy's name begins with a dot, so that a proxy that loads the whole directory does not load the
copy: NGINX's `include conf.d/*` skips such names, and so does HAProxy with `-f DIRECTORY`.

A file is the gateway's own when it contains the id of its generation, which is a hash of its text.
Files of templates without a generation mark cannot be recognised; for these, the copy that exists
already shows that the gateway has written the file.
"""

import hashlib
import os
import re
from pathlib import Path

from drove_gateway.files.remedy import remedy
from drove_gateway.model.errors import ProxyError
from drove_gateway.proxies.installation.template_data import UNKNOWN_GENERATION

_SUFFIX = ".before-drove-gateway"
_LENGTH = len(UNKNOWN_GENERATION)
_ID = re.compile(rf"(?<![0-9a-f])[0-9a-f]{{{_LENGTH}}}(?![0-9a-f])")


def copy_of(config: Path) -> Path:
    """Return where the file that was there before is kept."""
    return config.with_name(f".{config.name}{_SUFFIX}")


def is_own(text: str) -> bool:
    """Whether a gateway made `text`: it contains an id that is a hash of its own text."""
    return own_generation(text) != ""


def own_generation(text: str) -> str:
    """Return the id of the generation that `text` is; empty if no gateway made it."""
    found: list[str] = _ID.findall(text)
    for generation in set(found):
        bare = text.replace(generation, UNKNOWN_GENERATION)
        digest = hashlib.sha256(bare.encode(errors="surrogateescape")).hexdigest()[:_LENGTH]
        half = _LENGTH // 2
        if generation == digest or generation[half:] == digest[:half]:
            return generation
    return ""


def without_generation(text: str) -> str:
    """Return `text` without the id of its generation, which differs when anything does."""
    generation = own_generation(text)
    return text.replace(generation, UNKNOWN_GENERATION) if generation else text


def should_be_kept(config: Path, text: str | None) -> bool:
    """Whether `text`, the content of `config`, is about to be replaced for the first time."""
    return bool(text) and not os.path.lexists(copy_of(config)) and not is_own(text or "")


def keep(config: Path, text: str) -> Path:
    """Write `text` to the copy, and never over an existing copy. Raises ProxyError."""
    copy = copy_of(config)
    try:
        descriptor = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors="surrogateescape"))
            os.fchmod(descriptor, config.stat().st_mode & 0o777)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise ProxyError(
            f"cannot keep {config}, which the gateway did not write, as {copy}: {error.strerror}; "
            f"{config} stays as it is; {remedy(error, config.parent)}"
        ) from error
    return copy
