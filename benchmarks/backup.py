"""What a backup and a restore cost: their rates beside plain reading and writing, and the memory that they take.

    python -m benchmarks.backup [--points 100000] [--dimension 768] [--json] [--write docs/backups.md]

The store is the embedded one. It refuses more than 20,000 points in a collection; these processes, and nothing else,
raise that limit. Each stage has a process of its own: memory is the growth of its resident set, sampled every 10 ms,
over what it was before the stage began. The embedded store keeps what is written in memory, so a restore is compared
with the same points written plainly into an empty store.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from console_core.backup.backups import Backups
from console_core.backup.operation import BackUp, pages_of
from console_core.backup.proving import Prove
from console_core.backup.restoring import Restore
from console_core.runs.types import Counts, Operation
from console_core.vectorstore import qdrant_embedded
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.types import CollectionSpec, Point

SOURCE, ARCHIVE = "source", "archive"
MARK = "<!-- measured by benchmarks.backup -->"
SEED = 20261


def points(number: int, dimension: int) -> Iterator[list[Point]]:
    """The same points each time, in batches: vectors of length 1 in clusters, and a payload of about 300 bytes."""
    centres = np.random.default_rng(SEED).normal(size=(200, dimension)).astype(np.float32)
    for start in range(0, number, 256):
        dice = np.random.default_rng(SEED + start)
        count = min(256, number - start)
        rows = centres[dice.integers(0, 200, count)] + 0.4 * dice.normal(size=(count, dimension))
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        yield [Point(start + place, row, _payload(start + place)) for place, row in enumerate(rows)]


def _payload(number: int) -> dict[str, Any]:
    made = {"key": str(number), "revision": f"{number:032x}", "content": f"{number * 7:064x}", "run": "r-abcdef"}
    return {"user_id": f"user-{number % 500}", "caption": f"A picture with the number {number}", "_console": made}


def spec(dimension: int) -> CollectionSpec:
    return CollectionSpec(dimension)


class Memory:
    """The peak of this process's resident set over what it was, in bytes."""

    def __enter__(self) -> "Memory":
        self._process, self._over = psutil.Process(), threading.Event()
        self.before = self.peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.peak = max(self.peak, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self.peak - self.before


def measured(what: str, work: Callable[[], int]) -> dict[str, Any]:
    """Time and memory of some work that treats so many points."""
    with Memory() as memory:
        began, cpu = time.perf_counter(), time.process_time()
        number = work()
        seconds = time.perf_counter() - began
    return {
        "what": what,
        "points": number,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "points_per_second": round(number / seconds),
        "growth_mb": round(memory.growth / 1e6, 1),
    }


def _drive(operation: Operation, number: int) -> int:
    for _ in operation.steps("", Counts()):
        pass
    return number


def _write_plainly(store: QdrantEmbedded, name: str, number: int, dimension: int) -> int:
    store.create(name, spec(dimension))
    return sum(store.upsert(name, batch, as_is=True) for batch in points(number, dimension))


def _read_plainly(store: QdrantEmbedded, dimension: int) -> int:
    return sum(1 for _ in store.scroll(SOURCE, vectors=True, page_size=pages_of(dimension)))


def stage(name: str, folder: Path, number: int, dimension: int) -> list[dict[str, Any]]:
    """One stage, in this process."""
    qdrant_embedded.CAPACITY = 10**9
    backups = Backups(folder / "backups")
    where = {"read": "source", "write": "source"}.get(name, name)
    store = QdrantEmbedded(folder / where)
    try:
        if name == "write":
            return [measured("plain upsert", lambda: _write_plainly(store, SOURCE, number, dimension))]
        if name == "read":
            _read_plainly(store, dimension)  # what the engine and the allocator take once
            plain = measured("plain scroll", lambda: _read_plainly(store, dimension))
            backup = BackUp(store, backups, SOURCE, ARCHIVE, "r-bench")
            made = measured("backup", lambda: _drive(backup, number))
            return [plain, {**made, "archive_mb": round(backups.get(ARCHIVE).bytes / 1e6, 1)}]
        if name == "plain":
            return [measured("plain upsert, again", lambda: _write_plainly(store, "plain", number, dimension))]
        if name == "restore":
            restore = Restore(store, backups, ARCHIVE, "restored")
            return [measured("restore, checked and compared", lambda: _drive(restore, number))]
        prove = Prove(store, backups, ARCHIVE, "source__proof-abcdef", "r-bench")
        return [measured("proof", lambda: _drive(prove, number))]
    finally:
        store.close()


def measure(number: int, dimension: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="backup-benchmark-") as folder:
        for name in ("write", "read", "plain", "restore", "proof"):
            command = [sys.executable, "-m", "benchmarks.backup", "--stage", name, "--folder", folder]
            command += ["--points", str(number), "--dimension", str(dimension)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            lines += json.loads(done.stdout)
            print(f"{name}: {lines[-1]}", file=sys.stderr, flush=True)
    _shares(lines)
    return lines


def _shares(lines: Sequence[dict[str, Any]]) -> None:
    """Rates and processor time as shares of plain work, and the memory that a restore takes beyond the store's own."""
    by = {line["what"]: line for line in lines}
    writing = by["plain upsert, again"]
    plain = {"backup": by["plain scroll"], "restore, checked and compared": writing, "proof": writing}
    for what, other in plain.items():
        by[what]["share"] = round(by[what]["points_per_second"] / other["points_per_second"], 2)
        by[what]["cpu_share"] = round(other["cpu_seconds"] / by[what]["cpu_seconds"], 2)
        if other is writing:
            by[what]["beyond_plain_mb"] = round(by[what]["growth_mb"] - writing["growth_mb"], 1)


def table(lines: Sequence[dict[str, Any]]) -> str:
    head = ("", "points/s", "of plain", "seconds", "cpu s", "of plain", "memory", "beyond plain")
    rows = [head, ("---", *("---:" for _ in head[1:]))]
    for line in lines:
        rows.append(
            (
                line["what"],
                f"{line['points_per_second']:,}",
                f"{100 * line['share']:.0f}%" if "share" in line else "",
                f"{line['seconds']:,.1f}",
                f"{line['cpu_seconds']:,.1f}",
                f"{100 * line['cpu_share']:.0f}%" if "cpu_share" in line else "",
                f"+{line['growth_mb']:,.0f} MB",
                f"{line['beyond_plain_mb']:,.0f} MB" if "beyond_plain_mb" in line else "",
            )
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backup", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=768)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose part behind the mark is written anew")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        print(json.dumps(stage(given.stage, given.folder, given.points, given.dimension)))
        return
    load = os.getloadavg()[0]
    lines = measure(given.points, given.dimension)
    archive = next(line["archive_mb"] for line in lines if "archive_mb" in line)
    said = (
        f"{given.points:,} points with {given.dimension} numbers and about 300 bytes of payload each "
        f"({given.points * given.dimension * 4 / 1e6:,.0f} MB of plain vectors); the archive takes {archive:,.0f} MB. "
        f"{psutil.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}; "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after. Where others keep the machine busy, processor "
        "time says more than wall time."
    )
    print(json.dumps({"said": said, "lines": lines}, indent=2) if given.json else f"{said}\n\n{table(lines)}")
    if given.write:
        head, _, _ = given.write.read_text().partition(MARK)
        given.write.write_text(f"{head}{MARK}\n\n{said}\n\n{table(lines)}\n")


if __name__ == "__main__":
    main()
