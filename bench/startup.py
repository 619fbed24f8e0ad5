"""Starting the program: from a virtual environment, as one file, and as the packages install it.

`make binary` first: all three are of the same build. Rounds are interleaved, so that a busy machine
is as busy for each. Options: `--rounds N`.
"""

import argparse
import statistics
import subprocess
import time
from pathlib import Path

from bench.report import announce, save, show

REPOSITORY = Path(__file__).parents[1]
FORMS = {
    "virtual environment": REPOSITORY / "build" / "builder" / "bin" / "drove-gateway",
    "one file": REPOSITORY / "dist" / "drove-gateway",
    "package": REPOSITORY / "build" / "program" / "folder" / "drove-gateway",
}
COMMANDS = {"-v": ("-v",), "--help": ("--help",), "check --help": ("check", "--help")}


def milliseconds(command: tuple[str | Path, ...]) -> float:
    """How long one run takes."""
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begin) * 1000


def medians(arguments: tuple[str, ...], rounds: int) -> dict[str, float]:
    """The median of each form, after a round that warms the caches."""
    taken: dict[str, list[float]] = {form: [] for form in FORMS}
    for _ in range(rounds + 1):
        for form, program in FORMS.items():
            taken[form].append(milliseconds((program, *arguments)))
    return {form: statistics.median(times[1:]) for form, times in taken.items()}


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    missing = [str(path) for path in FORMS.values() if not path.exists()]
    if missing:
        raise SystemExit(f"`make binary` first; there is no {', '.join(missing)}")
    announce("Starting the program, median of each form in ms")
    rows = [{"command": name} | medians(words, rounds) for name, words in COMMANDS.items()]
    show("start-up, ms", rows)
    print(f"\nwritten to {save('startup', rows)}")


if __name__ == "__main__":
    main()
