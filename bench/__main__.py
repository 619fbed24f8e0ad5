"""`python -m bench NAME [options]`: run one benchmark of this directory."""

import runpy
import signal
import sys
from pathlib import Path
from types import FrameType

from drove_gateway.demo.errors import DemoError

NOT_BENCHMARKS = {"__main__", "report"}


def main(arguments: list[str]) -> None:
    """Run the module of that name as a program, with the options after it."""
    here = Path(__file__).parent
    packages = [path.parent.name for path in here.glob("*/__main__.py")]
    names = sorted([*(path.stem for path in here.glob("*.py")), *packages])
    known = [name for name in names if name not in NOT_BENCHMARKS]
    if not arguments or arguments[0] not in known:
        raise SystemExit(
            f"usage: python -m bench NAME [options]; NAME is one of {', '.join(known)}"
        )
    name, *options = arguments
    signal.signal(signal.SIGTERM, _end)
    sys.argv = [f"python -m bench {name}", *options]
    try:
        runpy.run_module(f"bench.{name}", run_name="__main__")
    except DemoError as error:
        raise SystemExit(str(error)) from error


def _end(number: int, _: FrameType | None) -> None:
    """End as an interrupted program does, so that its children are stopped."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main(sys.argv[1:])
