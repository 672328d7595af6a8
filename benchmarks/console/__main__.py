"""What the console costs its server, measured through the protocol that browsers speak.

    python -m benchmarks.console [--workspace DIR] [--points 10000 100000] [--json] [--write docs/performance.md]

With `--points` it is measured on workspaces with so many pictures instead of the demo's 1,200, one after the other.

The processor time is that of the server's process alone, so that a busy machine changes it little; wall times are for
a quiet one. docs/performance.md says what is measured how.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.console import by_points, lab, pages, report, starting, ticks
from benchmarks.console.measured import Measured
from benchmarks.console.server import serving
from benchmarks.console.workspace import Prepared, prepare, run_in_progress

FIRST_START = 60.0


def main() -> None:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=about)
    parser.add_argument("--workspace", type=Path, help="an empty folder, or one of an earlier benchmark")
    parser.add_argument("--pictures", type=int, default=1200)
    parser.add_argument("--times", type=int, default=9, help="page changes of one kind; a third as many starts")
    parser.add_argument("--seconds", type=float, default=12, help="how long the ticks of one kind are watched")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    parser.add_argument("--points", type=int, nargs="+", help="sizes, each in a workspace of its own; smallest first")
    given = parser.parse_args()
    if given.points:
        by_size(given)
        return
    with tempfile.TemporaryDirectory(prefix="console-benchmark-") as own:
        machine = report.machine()
        prepared = prepare(given.workspace or Path(own) / "workspace", given.pictures)
        lines = measure(prepared, given.times, given.seconds)
    said = f"{prepared.pictures:,} pictures, {len(prepared.collections)} collections. {machine}."
    if given.json:
        print(json.dumps({"machine": machine, "lines": [line.as_json() for line in lines]}, indent=2))
    else:
        print(f"{said}\n\n{report.table(lines)}")
    if given.write:
        report.write(given.write, report.markdown(lines, said))


def by_size(given: argparse.Namespace) -> None:
    """The console with few pictures and with many."""
    with tempfile.TemporaryDirectory(prefix="console-benchmark-") as own:
        folder = given.workspace or Path(own)
        sized = by_points.measure(folder, sorted(given.points), given.pictures, given.times, given.seconds)
    said = by_points.markdown(sized)
    print(json.dumps([one.as_json() for one in sized], indent=2) if given.json else said)
    if given.write:
        report.write_section(given.write, by_points.SECTION, said)


def measure(prepared: Prepared, times: int, seconds: float) -> list[Measured]:
    """All of it, in the order of a person's day."""
    first = Measured(starting.GROUP, "prepare the demo", prepared.seconds)
    lines = starting.measure(prepared.folder, max(times // 3, 1))
    whole = replace(first, name="prepare the demo, until the first page", budget=FIRST_START)
    lines = [first, replace(whole, wall=(first.wall or 0) + (lines[2].wall or 0)), *lines]
    with serving(prepared.folder) as server:
        lines += asyncio.run(pages.measure(server, prepared, times))
        lines += asyncio.run(lab.measure(server, prepared, times))
        with run_in_progress(prepared.folder, prepared.pictures) as run:
            lines += asyncio.run(ticks.measure(server, run.id, seconds))
        print(f"{server.memory() / 1e6:,.0f} MB of memory in use by the server at the end", file=sys.stderr)
    return lines


if __name__ == "__main__":
    main()
