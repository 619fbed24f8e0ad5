"""How benchmarks report: a table to read, and a JSON file to compare with later."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"

Row = Mapping[str, object]


def machine() -> Mapping[str, object]:
    """What the numbers were taken on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def milliseconds(
    work: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """The median of several rounds, by a clock that counts seconds."""
    taken = []
    for _ in range(rounds):
        begin = clock()
        work()
        taken.append(clock() - begin)
    return statistics.median(taken) * 1000


def show(title: str, rows: Sequence[Row]) -> None:
    """Print rows as a table; the keys of the first one are the columns."""
    columns = list(rows[0])
    cells = [columns, *[[_cell(row.get(column)) for column in columns] for row in rows]]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    print(f"\n{title}")
    for line in cells:
        first, *rest = zip(line, widths, strict=True)
        print("  ".join([first[0].ljust(first[1]), *[cell.rjust(width) for cell, width in rest]]))


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if value >= 0.1 else f"{value:.3f}"
    return str(value)


def save(name: str, rows: Sequence[Row]) -> Path:
    """Write rows, the machine and the time to `results/NAME.json`."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    written = datetime.now(UTC).isoformat(timespec="seconds")
    report = {"benchmark": name, "at": written, "machine": machine(), "rows": rows}
    file.write_text(json.dumps(report, indent=1) + "\n")
    return file


def announce(what: str) -> None:
    """Say what is measured and on which machine."""
    on = machine()
    print(f"{what}\n{on['processor']}, {on['cores']} cores, {on['system']}, Python {on['python']}")
