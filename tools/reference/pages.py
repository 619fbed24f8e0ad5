"""Pages of the reference that are made from the code: written, or compared with what stands."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click

write_or_check = click.option(
    "--write/--check", "write", required=True, help="Write the files, or compare them."
)


def keep(files: Mapping[Path, str], *, write: bool) -> None:
    """Write `files`; or exit with 1 at the first that differs, and say so."""
    for path, text in files.items():
        if write:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            click.echo(f"{path} is out of date; run this command with --write")
            sys.exit(1)


def page_command(page: Callable[[], str], default: Path) -> click.Command:
    """The command that writes or checks one page."""

    @click.command()
    @write_or_check
    @click.argument("path", type=click.Path(path_type=Path), default=default)
    def main(write: bool, path: Path) -> None:
        """Writes or checks the reference page at PATH."""
        keep({path: page()}, write=write)

    return main
