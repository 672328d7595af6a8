"""The console with few pictures and with many: what grows with them, and how much."""

import asyncio
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.console import pages, report, starting, ticks
from benchmarks.console.measured import Measured
from benchmarks.console.scaled import prepare_many
from benchmarks.console.server import Server, serving
from benchmarks.console.workspace import Prepared, prepare, run_in_progress

SECTION = "benchmarks.console with many points"
GROWN, WORTH_TELLING = 2.0, 0.010
"""From how many times the smallest size's processor time on, and from how many seconds more, a page grows."""


@dataclass(frozen=True)
class Sized:
    """All measurements at one size. `memory` is resident, in bytes: of the server, and of the store's own process."""

    points: int
    lines: tuple[Measured, ...]
    memory: Mapping[str, int]
    load: float

    def as_json(self) -> dict[str, object]:
        lines = [line.as_json() for line in self.lines]
        return {"points": self.points, "load": self.load, "memory": dict(self.memory), "lines": lines}


def measure(folder: Path, sizes: Sequence[int], pictures: int, times: int, seconds: float) -> list[Sized]:
    """Each size in a workspace of its own."""
    demo = prepare(folder / "demo", pictures).folder
    found = []
    for points in sizes:
        print(f"{points:,} points …", file=sys.stderr, flush=True)
        prepared = prepare_many(folder / str(points), points, demo)
        found.append(measure_one(prepared, times, seconds))
    return found


def measure_one(
    prepared: Prepared, times: int, seconds: float, crowds: Sequence[int] = ticks.CROWDS, starts: int = 2
) -> Sized:
    """Starts where some are wanted, pages, and ticks beside a run in progress."""
    load = report.load()
    lines = [Measured(report.PREPARING, name, taken) for name, taken in prepared.made.items()]
    lines += starting.measure(prepared.folder, starts) if starts else []
    with serving(prepared.folder) as server:
        memory = {"at first": server.memory()}
        lines += asyncio.run(pages.measure(server, prepared, times))
        with run_in_progress(prepared.folder, prepared.pictures) as run:
            lines += asyncio.run(ticks.measure(server, run.id, seconds, crowds))
        memory |= {"at the end": server.memory(), "of the store's process": _engine(server)}
    return Sized(prepared.pictures, tuple(lines), memory, load)


def grows(first: Measured, other: Measured) -> bool:
    """Whether something costs the server so much more with more points that it is worth telling."""
    if first.cpu is None or other.cpu is None:
        return False
    return other.cpu >= GROWN * first.cpu and other.cpu - first.cpu >= WORTH_TELLING


def markdown(found: Sequence[Sized]) -> str:
    """One table for each group, the sizes beside each other, and one for the memory."""
    sizes = [f"{one.points:,}" for one in found]
    loads = ", ".join(f"{one.load:.1f}" for one in found)
    parts = [f"{report.computer()}. Load before each size: {loads}."]
    for group in dict.fromkeys(line.group for line in found[0].lines):
        head = [group, *(f"{size}: wall" for size in sizes), *(f"{size}: server CPU" for size in sizes), "CPU grows"]
        parts.append(_table(head, _rows(found, group)))
    told = [[name, *(f"{one.memory[name] / 1e6:,.0f} MB" for one in found)] for name in found[0].memory]
    parts.append(_table(["Memory of the server", *sizes], told))
    return "\n\n".join(parts)


def _rows(found: Sequence[Sized], group: str) -> list[list[str]]:
    by_name = [{line.name: line for line in one.lines if line.group == group} for one in found]
    rows = []
    for name, first in by_name[0].items():
        if not all(name in lines for lines in by_name):
            continue
        beside = [lines[name] for lines in by_name]
        times = f"{beside[-1].cpu / first.cpu:.1f}×" if first.cpu and beside[-1].cpu else ""
        said = f"**{times}**" if any(grows(first, other) for other in beside) else times
        walls, cpu = ([report.seconds(value) for value in row] for row in _figures(beside))
        rows.append([name, *walls, *cpu, said])
    return rows


def _figures(lines: Sequence[Measured]) -> tuple[list[float | None], list[float | None]]:
    return [line.wall for line in lines], [line.cpu for line in lines]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruler = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ruler, *rows))


def _engine(server: Server) -> int:
    """Resident bytes of the processes that the server started, without the files that they have mapped."""
    total = 0
    for child in server.children():
        memory = child.memory_info()
        total += memory.rss - (memory.shared if platform.system() == "Linux" else 0)
    return total
