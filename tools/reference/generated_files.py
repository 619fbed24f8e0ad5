"""Write generated files, or check that the committed files are up to date."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click


def reference_command(files: Callable[[], Mapping[str, str]]) -> click.Command:
    """Return a command that writes or checks `files()`: texts by file name, in one directory."""

    @click.command()
    @click.option("--write/--check", "write", required=True, help="Write the files, or check them.")
    @click.argument("directory", type=click.Path(path_type=Path), default=Path("docs/reference"))
    def main(write: bool, directory: Path) -> None:
        """Write the generated files to DIRECTORY, or exit with 1 if one of them is out of date."""
        for name, text in files().items():
            path = directory / name
            if write:
                path.write_text(text)
            elif not path.exists() or path.read_text() != text:
                click.echo(f"{path} is out of date; run this command with --write")
                sys.exit(1)

    return main
