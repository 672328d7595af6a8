"""What it costs to know that a collection is in step, and that nobody wrote to it: `python -m benchmarks.following`.

A look of the follower compares catalog and collection in both directions without vectors; a cut-over reads the whole
collection to sign it. Both are measured beside a plain scroll of the same collection in the same process.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from console_core import settings
from console_core.console import Console, open_console
from console_core.following.comparing import measure
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point

NAME = "images__measured"
FINGERPRINT = "f" * 16
TOML = """
[catalog]
kind = "sql"
location = "sqlite:///catalog.db"
table = "images"
paths = ["path"]
payload = ["user_id", "caption"]
"""


@contextmanager
def opened(folder: Path, pictures: int) -> Iterator[Console]:
    (folder / "images").mkdir()
    (folder / settings.FILE).write_text(TOML)
    with closing(sqlite3.connect(folder / "catalog.db")) as catalog, catalog:
        catalog.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT, user_id TEXT, caption TEXT)")
        rows = ((key, f"{key}.jpg", f"user-{key % 7}", f"picture {key}") for key in range(1, pictures + 1))
        catalog.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", rows)
    console = open_console(settings.read(folder, {}), owner_name="the benchmark")
    try:
        yield console
    finally:
        console.close()


def fill(console: Console, dimension: int) -> None:
    """A point for each row, as a build leaves it."""
    stamp = ModelStamp("demo-clip", FINGERPRINT)
    console.store.create(NAME, CollectionSpec(dimension, stamp=stamp))
    dice, rows = np.random.default_rng(1), console.catalog.rows()
    while page := list(islice(rows, 1000)):
        vectors = dice.normal(size=(len(page), dimension)).astype(np.float32)
        made = (Provenance(row.key, row.revision, "0" * 32, FINGERPRINT, "r-bench", "2026-01-01") for row in page)
        points = [
            Point(point_id(row.key), vector, {**row.payload, **origin.as_payload()})
            for row, vector, origin in zip(page, vectors, made, strict=True)
        ]
        console.store.upsert(NAME, points)


def timed(what: str, act: Callable[[], object], pictures: int) -> dict[str, Any]:
    """The quicker of two times, which a busy machine disturbs less."""
    times = []
    for _ in range(2):
        wall, cpu = time.perf_counter(), time.process_time()
        act()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = min(times)
    return {"what": what, "seconds": round(wall, 2), "cpu": round(cpu, 2), "per_second": round(pictures / wall)}


def run(pictures: int, dimension: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), pictures) as console:
        fill(console, dimension)
        store = console.store
        follow = console.follows.begin(NAME, model="demo-clip", fingerprint=FINGERPRINT, stocked=True)
        lines = [
            timed("plain scroll with vectors", lambda: sum(1 for _ in store.scroll(NAME, vectors=True)), pictures),
            timed("one look of the follower", lambda: measure(console.comparison(follow)), pictures),
            timed("signature", lambda: signature_of(store, NAME), pictures),
        ]
    for line in lines:
        line["of_plain"] = round(line["cpu"] / lines[0]["cpu"], 2)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    lines = run(arguments.pictures, arguments.dimension)
    if arguments.json:
        print(json.dumps(lines, indent=2))
        return
    print(f"{arguments.pictures:,} pictures, {arguments.dimension} numbers a vector, embedded store")
    for line in lines:
        print(
            f"{line['what']:28} {line['seconds']:6.2f} s  {line['cpu']:6.2f} s of processor  "
            f"{line['per_second']:8,}/s  {line['of_plain']:.2f} of plain"
        )


if __name__ == "__main__":
    main()
