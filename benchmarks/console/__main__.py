"""What the console costs its server, measured through the protocol that browsers speak.

    python -m benchmarks.console [--workspace DIR] [--json] [--write docs/performance.md]

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

from benchmarks.console import pages, report, starting, ticks
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
    given = parser.parse_args()
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


def measure(prepared: Prepared, times: int, seconds: float) -> list[Measured]:
    """All of it, in the order of a person's day."""
    first = Measured(starting.GROUP, "prepare the demo", prepared.seconds)
    lines = starting.measure(prepared.folder, max(times // 3, 1))
    whole = replace(first, name="prepare the demo, until the first page", budget=FIRST_START)
    lines = [first, replace(whole, wall=(first.wall or 0) + (lines[2].wall or 0)), *lines]
    with serving(prepared.folder) as server:
        lines += asyncio.run(pages.measure(server, prepared, times))
        with run_in_progress(prepared.folder, prepared.pictures) as run:
            lines += asyncio.run(ticks.measure(server, run.id, seconds))
        print(f"{server.memory() / 1e6:,.0f} MB of memory in use by the server at the end", file=sys.stderr)
    return lines


if __name__ == "__main__":
    main()
