"""The measurements as a table, and their place in a document."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.console.measured import Measured

PREPARING = "Preparing"
_HEAD = ("", "wall", "worst", "server CPU", "sent", "thumbnails", "times", "budget", "of it")


def machine() -> str:
    """The machine in words, and how busy others kept it before."""
    return f"{computer()}, load before: {load():.1f}"


def computer() -> str:
    """Cores, graphics cards, and what Python runs on."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    kind = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    return f"{cores} cores, {graphics()} ({kind})"


def graphics() -> str:
    """The graphics cards that NVIDIA's driver knows of, without loading torch."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "no GPU"
    asked = [tool, "--query-gpu=name", "--format=csv,noheader"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    return " and ".join(told.stdout.split("\n")[:-1]) if told.returncode == 0 else "no GPU"


def load() -> float:
    """How many processes wanted a core at once, over the last minute."""
    return os.getloadavg()[0]


def table(lines: Iterable[Measured]) -> str:
    """Plain text in columns, one block for each group."""
    return "\n\n".join(f"{group}\n{_columns(rows)}" for group, rows in _groups(lines))


def markdown(lines: Iterable[Measured], said: str) -> str:
    """The same as Markdown, below one sentence about the circumstances."""
    parts = [said]
    for group, rows in _groups(lines):
        head = (group, *_HEAD[1:])
        table = [head, ("---", *("---:" for _ in _HEAD[1:])), *rows]
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in table))
    return "\n\n".join(parts)


def write(file: Path, text: str) -> None:
    """Put the text between the two marks of a document."""
    write_section(file, "benchmarks.console", text)


def write_section(file: Path, name: str, text: str) -> None:
    """Put what a benchmark measured between its two marks in a document."""
    begin, end = f"<!-- measured by {name} -->", f"<!-- end of what {name} measured -->"
    before, found, rest = file.read_text("utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise SystemExit(f"{file} lacks the lines {begin} and {end}.")
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def _groups(lines: Iterable[Measured]) -> list[tuple[str, list[tuple[str, ...]]]]:
    return [(group, [_row(line) for line in some]) for group, some in groupby(lines, lambda line: line.group)]


def _row(line: Measured) -> tuple[str, ...]:
    return (
        line.name,
        seconds(line.wall),
        seconds(line.worst),
        seconds(line.cpu),
        "" if line.bytes is None else f"{line.bytes / 1000:,.1f} kB",
        str(line.thumbnails or ""),
        str(line.times),
        "" if line.budget is None else f"{seconds(line.budget)} {'CPU' if line.judged == 'cpu' else ''}".rstrip(),
        "" if line.ratio is None else f"{line.ratio:.0%}",
    )


def seconds(value: float | None) -> str:
    """A time as people read it; "" where there is none."""
    if value is None:
        return ""
    return f"{value:,.2f} s" if abs(value) >= 1 else f"{value * 1000:,.1f} ms"


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[place]) for row in (_HEAD, *rows)) for place in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (_HEAD, *rows)
    )
