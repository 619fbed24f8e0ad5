"""Values of the `[template]` table that cannot have the effect that they were written for."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

_NAME_READ = re.compile(r"\.Vars\.(\w+)|\"(\w+)\"")
_SIMILAR = 0.85


def doubtful_values(
    table: Mapping[str, str], variables: Mapping[str, str], template: str
) -> Iterator[str]:
    """Return a warning for each misspelt name in `table`, and for a missing certificate.

    `variables` are the values that the template sees, with those of the environment. A name is
    misspelt if `template` reads only a similar name that is not set: other names may be for another
    template.
    """
    read = {match[1] or match[2] for match in _NAME_READ.finditer(template)}
    for name in sorted(table.keys() - read):
        if similar := get_close_matches(name, read - variables.keys(), n=1, cutoff=_SIMILAR):
            yield f"[template] {name}: the template does not read it; did you mean {similar[0]}?"
    directory = variables.get("TLS_CERTIFICATES")
    if directory and "TLS_CERTIFICATES" in read:
        default = variables.get("TLS_DEFAULT_CERTIFICATE") or f"{directory}/default.pem"
        if _is_missing(Path(default)):
            yield (
                f"[template] TLS_CERTIFICATES: {default} does not exist, so clients whose name has "
                "no certificate cannot connect over HTTPS"
            )


def _is_missing(path: Path) -> bool:
    """Whether the file certainly does not exist; the gateway's user may see more than this one."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
