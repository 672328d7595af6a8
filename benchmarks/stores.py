"""What each vector store does with many points: write, search, scroll, count and back up.

    python -m benchmarks.stores [--points 10000 100000] [--million] [--dimension 512] [--json]
                                [--server URL] [--postgres DSN] [--write docs/performance.md]

Each store and size has a process of its own, and so has the plain engine that it is compared with: the same points,
in the same batches, through the engine's own client and without this project's checks. Vectors lie in clusters, as
pictures do: in random directions no index finds anything. Memory is the peak of the process, and beside it that of the
engine's own processes, sampled every 20 ms. The embedded store is measured up to its 20,000 points, Qdrant Edge up to
a million. While an index is being built, a search is made every 50 ms.
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
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.backup import points
from benchmarks.console.report import write_section
from benchmarks.stores_plain import PLAIN
from console_core.backup.backups import Backups
from console_core.backup.operation import BackUp
from console_core.runs.types import Counts
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, VectorStore

NAME = "stores-benchmark"
SIZES, MILLION = (10_000, 100_000), 1_000_000
QUERIES, WARM_UP = 100, 5
INDEX_UP_TO = 100_000
TITLES = {"local": "Qdrant, embedded", "edge": "Qdrant Edge", "server": "Qdrant server", "postgres": "PostgreSQL"}


class Watch:
    """The peaks of resident memory in bytes: of this process, and of those that it started, together.

    `private` leaves out what those have mapped of files, which the system takes back where memory is short.
    """

    def __enter__(self) -> "Watch":
        self._own, self._over = psutil.Process(), threading.Event()
        self.own = self.others = self.private = 0
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.own = max(self.own, self._own.memory_info().rss)
            others = private = 0
            for child in self._own.children(recursive=True):
                try:
                    memory = child.memory_info()
                    others, private = others + memory.rss, private + memory.rss - getattr(memory, "shared", 0)
                except psutil.Error:  # it ended meanwhile
                    continue
            self.others, self.private = max(self.others, others), max(self.private, private)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def queries(dimension: int) -> NDArray[np.float32]:
    """Vectors near stored ones, in the clusters of the points."""
    near = np.stack([point.vector for point in next(points(QUERIES + WARM_UP, dimension)) if point.vector is not None])
    moved = near + 0.02 * np.random.default_rng(77).normal(size=near.shape)
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)


def rate(what: str, number: int, seconds: float) -> dict[str, Any]:
    return {"what": what, "value": round(number / max(seconds, 1e-9)), "unit": "points/s", "seconds": round(seconds, 2)}


def latency(what: str, times: Sequence[float]) -> dict[str, Any]:
    middle, slow = (float(np.percentile(times, at)) * 1000 for at in (50, 95))
    return {"what": what, "value": round(middle, 2), "unit": "ms", "p95": round(slow, 2)}


def timed(acts: Iterator[Callable[[], object]]) -> list[float]:
    times = []
    for act in acts:
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return times


def searching(
    search: Callable[[NDArray[np.float32]], list[Any]], dimension: int
) -> tuple[list[float], list[list[Any]]]:
    """How long each query took, and the ids that answered it."""
    answers: list[list[Any]] = []
    asked = queries(dimension)

    def ask(query: NDArray[np.float32]) -> None:
        answers.append(search(query))

    times = timed(partial(ask, query) for query in asked)
    return times[WARM_UP:], answers[WARM_UP:]


def measure_plain(kind: str, folder: Path, number: int, dimension: int) -> list[dict[str, Any]]:
    """The engine's own calls, in this process."""
    engine = PLAIN[kind](folder / "plain", dimension)
    spent, written = 0.0, 0
    for batch in points(min(number, engine.most), dimension):
        began = time.perf_counter()
        engine.write(batch)
        spent += time.perf_counter() - began
        written += len(batch)
    lines = [rate("upsert", written, spent)]
    if written == number:
        lines.append(latency("search, before the index", searching(engine.search, dimension)[0]))
        began = time.perf_counter()
        lines.append(rate("scroll with vectors", engine.scroll(), time.perf_counter() - began))
        lines.append(latency("count", timed(engine.count for _ in range(20))))
    engine.close()
    return lines


def measure(url: str, folder: Path, number: int, dimension: int, index_up_to: int) -> list[dict[str, Any]]:
    """One store through our adapter, in this process."""
    store = open_store(StoreSettings(url, timeout=600))
    lines: list[dict[str, Any]] = []
    try:
        store.create(NAME, CollectionSpec(dimension))
        store.defer_index(NAME)
        with Watch() as watch:
            spent = sum(timed(partial(store.upsert, NAME, batch) for batch in points(number, dimension)))
            lines.append(rate("upsert", number, spent))
            lines += _read(store, number, dimension, index_up_to)
            began = time.perf_counter()
            backups = Backups(folder / "backups")
            for _ in BackUp(store, backups, NAME, "archive", "r-bench").steps("", Counts()):
                pass
            lines.append(rate("backup", number, time.perf_counter() - began))
        lines.append({"what": "memory of the console", "value": round(watch.own / 1e6), "unit": "MB"})
        if watch.others:
            lines.append({"what": "memory of the engine", "value": round(watch.others / 1e6), "unit": "MB"})
            lines.append({"what": "… without mapped files", "value": round(watch.private / 1e6), "unit": "MB"})
        if (size := store.size_on_disk()) is not None:
            lines.append({"what": "on the disk", "value": round(size / 1e6), "unit": "MB"})
    finally:
        if not store.info().embedded:
            store.drop(NAME)
        store.close()
    return lines


def _read(store: VectorStore, number: int, dimension: int, index_up_to: int) -> Iterator[dict[str, Any]]:
    def search(query: NDArray[np.float32]) -> list[Any]:
        return [hit.id for hit in store.search(NAME, query, limit=10)]

    times, exact = searching(search, dimension)
    yield latency("search, before the index", times)
    began = time.perf_counter()
    yield rate("scroll with vectors", sum(1 for _ in store.scroll(NAME, vectors=True)), time.perf_counter() - began)
    yield latency("count", timed((lambda: store.count(NAME)) for _ in range(20)))
    if store.describe(NAME).index_deferred and (number <= index_up_to or not store.info().embedded):
        meanwhile: list[float] = []
        asked = queries(dimension)[0]
        began = time.perf_counter()
        store.restore_index(NAME)
        while store.describe(NAME).status != "green":
            meanwhile += timed(iter([lambda: search(asked)]))
            time.sleep(0.05)
        spent = time.perf_counter() - began
        if not meanwhile and store.info().embedded:  # so few are always compared
            return
        yield {"what": "building the index", "value": round(spent, 1), "unit": "s"}
        if meanwhile:
            yield latency("search meanwhile", meanwhile)
        times, found = searching(search, dimension)
        yield latency("search, with the index", times)
        same = sum(len(set(one) & set(other)) for one, other in zip(exact, found, strict=True))
        yield {"what": "found of the 10 nearest", "value": round(same / (10 * len(exact)), 4), "unit": "share"}


def run(stores: dict[str, str], sizes: Sequence[int], dimension: int, index_up_to: int) -> dict[str, Any]:
    """Every store at every size that it is good for."""
    load, results = os.getloadavg()[0], []
    for number in sizes:
        for kind, url in stores.items():
            if kind == "local" and number > 20_000:
                continue
            with tempfile.TemporaryDirectory() as folder:
                lines = _apart(kind, url or f"{kind}:{folder}/store", folder, number, dimension, index_up_to, False)
                plain = _apart(kind, "", folder, number, dimension, index_up_to, True) if kind in PLAIN else []
            for line in lines:
                beside = next((one for one in plain if one["what"] == line["what"]), None)
                if beside is not None:
                    ratio = line["value"] / beside["value"] if beside["value"] else 0
                    line |= {"plain": beside["value"], "of_plain": round(ratio, 2)}
            results.append({"store": kind, "points": number, "lines": lines})
    machine = (
        f"{psutil.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}; "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after"
    )
    return {"dimension": dimension, "machine": machine, "results": results}


def _apart(
    kind: str, url: str, folder: str, number: int, dimension: int, index_up_to: int, plain: bool
) -> list[dict[str, Any]]:
    """One measurement in a process of its own."""
    print(f"{TITLES[kind]}{', plain' if plain else ''}: {number:,} points …", file=sys.stderr, flush=True)
    stage = json.dumps([kind, url, folder, number, dimension, index_up_to, plain])
    command = [sys.executable, "-m", "benchmarks.stores", "--stage", stage]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    lines: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return lines


def section(report: dict[str, Any]) -> str:
    """The report as Markdown."""
    said = f"Vectors of {report['dimension']} numbers and about 300 bytes of payload. {report['machine']}."
    rows = [("Store", "points", "what", "median or rate", "p95", "plain engine", "of plain"), *[("---",) * 7]]
    for result in report["results"]:
        for line in result["lines"]:
            unit = line["unit"]
            rows.append(
                (
                    TITLES[result["store"]],
                    f"{result['points']:,}",
                    line["what"],
                    f"{100 * line['value']:.1f}%" if unit == "share" else f"{line['value']:,} {unit}",
                    f"{line['p95']:,} ms" if "p95" in line else "",
                    f"{line['plain']:,} {unit}" if "plain" in line else "",
                    f"{line['of_plain']:.2f}" if "of_plain" in line else "",
                )
            )
    return said + "\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stores", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--million", action="store_true", help="a million points too")
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--index-up-to", type=int, default=INDEX_UP_TO, help="larger collections are not indexed")
    parser.add_argument("--stores", nargs="+", default=["local", "edge"], choices=["local", "edge"])
    parser.add_argument("--server", help="a Qdrant server's URL")
    parser.add_argument("--postgres", help="a PostgreSQL database with pgvector")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose part between the marks is written anew")
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        kind, url, folder, number, dimension, index_up_to, plain = json.loads(given.stage)
        where = Path(folder)
        lines = (
            measure_plain(kind, where, number, dimension)
            if plain
            else measure(url, where, number, dimension, index_up_to)
        )
        print(json.dumps(lines))
        return
    stores = dict.fromkeys(given.stores, "") | {
        name: url for name, url in (("server", given.server), ("postgres", given.postgres)) if url
    }
    sizes = [*given.points, *([MILLION] if given.million else [])]
    report = run(stores, sizes, given.dimension, given.index_up_to)
    print(json.dumps(report, indent=2) if given.json else section(report))
    if given.write:
        write_section(given.write, "benchmarks.stores", section(report))


if __name__ == "__main__":
    main()
