"""A directory that looks like `/proc`."""

import os
from pathlib import Path


class ImitatedProc:
    """Processes as files in `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "self").mkdir(parents=True)

    def add(self, pid: int, parent: int, *arguments: str, started: int = 0) -> None:
        """Add a process with these arguments, or with this title."""
        directory = self.path / str(pid)
        directory.mkdir()
        (directory / "cmdline").write_bytes("\0".join((*arguments, "")).encode())
        rest = ["S", str(parent), *["0"] * 17, str(started), "0"]
        (directory / "stat").write_text(f"{pid} (a) name) {' '.join(rest)}\n")

    def holds(self, pid: int, resident: int, shared: int) -> None:
        """Set the memory of a process, in pages."""
        (self.path / str(pid) / "statm").write_text(f"9999 {resident} {shared} 1 0 1 0\n")

    def holds_in_detail(self, pid: int, kilobytes: int) -> None:
        """Set the memory of a process as the kernel tells its owner."""
        text = f"Rss: 99999 kB\nPss: 88888 kB\nPss_Anon:  {kilobytes} kB\nPss_File: 77 kB\n"
        (self.path / str(pid) / "smaps_rollup").write_text(text)


PAGE = os.sysconf("SC_PAGE_SIZE")
