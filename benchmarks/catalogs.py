"""What it takes to list the pictures of a catalog: `python -m benchmarks.catalogs --rows 1000000 --files 100000`.

Each kind of catalog is listed from its first row to its last, in a process of its own; files that are read into an
index first are read anew. What is told is the median of some passes, and the peak of the process beyond what it had
before, which needs Linux.
"""

import argparse
import csv
import json
import multiprocessing
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.console.report import machine, write_section
from console_core.catalog.opening import open_catalog
from console_core.settings import CatalogSettings

FEW = 10
"""Rows of the catalog that is listed first, so that libraries are loaded and do not count."""
GROUP = 100_000
"""Rows that a Parquet file has in a group."""
COLUMNS = ("id", "tenant", "number", "path", "original", "caption", "kind", "updated")


@dataclass(frozen=True, slots=True)
class Listed:
    """A catalog that was listed: seconds to open it (to read it into its index, where it has one), and seconds for a
    pass, by the clock and of the processor. `peak` is in bytes."""

    name: str
    rows: int
    opening: float | None
    listing: float
    listing_cpu: float
    peak: int


def records(number: int) -> Iterator[tuple[Any, ...]]:
    """As an application's rows are: a primary key, a tenant and a number, two columns of paths, and some more."""
    for n in range(number):
        yield n, f"tenant-{n % 1000}", n // 1000, f"a/{n}.jpg", None, f"picture {n}", "photo", "2024-05-06 07:08:09"


def sqlite_single(folder: Path, number: int) -> CatalogSettings:
    return _sqlite(folder, number, "id INTEGER PRIMARY KEY, tenant TEXT, number INTEGER", "id", "")


def sqlite_pair(folder: Path, number: int) -> CatalogSettings:
    columns = "id INTEGER, tenant TEXT NOT NULL, number INTEGER NOT NULL"
    return _sqlite(folder, number, columns, ("tenant", "number"), ", PRIMARY KEY (tenant, number)")


def _sqlite(folder: Path, number: int, columns: str, key: str | tuple[str, ...], more: str) -> CatalogSettings:
    with closing(sqlite3.connect(folder / "app.db")) as connection, connection:
        connection.execute(
            f"CREATE TABLE images ({columns}, path TEXT, original TEXT, caption TEXT, kind TEXT, updated TEXT{more})"
        )
        connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)", records(number))
    return _mapped("sql", f"sqlite:///{folder / 'app.db'}", key)


def csv_file(folder: Path, number: int) -> CatalogSettings:
    with (folder / "images.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(records(number))
    return _mapped("table", str(folder / "images.csv"), "id")


def parquet_file(folder: Path, number: int) -> CatalogSettings:
    columns = dict(zip(COLUMNS, map(list, zip(*records(number), strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "images.parquet", row_group_size=GROUP)
    return _mapped("table", str(folder / "images.parquet"), "id")


def _mapped(kind: Any, location: str, key: str | tuple[str, ...]) -> CatalogSettings:
    return CatalogSettings(
        kind,
        location,
        "images",
        key,
        paths=("path", "original"),
        payload=("caption",),
        facets=("kind",),
        updated_at="updated",
    )


def folder_of_files(folder: Path, number: int) -> CatalogSettings:
    for n in range(number):
        if n % 1000 == 0:
            (folder / str(n)).mkdir()
        (folder / str(n - n % 1000) / f"{n}.jpg").touch()
    return CatalogSettings("folder", str(folder))


def image_list(folder: Path, number: int) -> CatalogSettings:
    folder_of_files(folder, number)
    with (folder / "list.txt").open("w") as stream:
        stream.writelines(f"{n - n % 1000}/{n}.jpg,label {n % 10}\n" for n in range(number))
    return CatalogSettings("list", str(folder / "list.txt"))


TABLES: dict[str, Callable[[Path, int], CatalogSettings]] = {
    "SQLite, one key column": sqlite_single,
    "SQLite, two key columns": sqlite_pair,
    "CSV": csv_file,
    "Parquet": parquet_file,
}
OF_FILES: dict[str, Callable[[Path, int], CatalogSettings]] = {"folder": folder_of_files, "image list": image_list}
INDEXED = ("CSV", "Parquet", "image list")


def measure(name: str, settings: CatalogSettings, few: CatalogSettings, cache: Path, passes: int) -> Listed:
    """List a catalog from beginning to end, several times."""
    with closing(open_catalog(few, cache=cache)) as catalog:
        assert sum(1 for _ in catalog.rows()) == FEW
    _forget_peak()
    before, openings, listings, busy, rows = _kept("VmRSS"), [], [], [], 0
    for _ in range(passes):
        shutil.rmtree(cache)
        cache.mkdir()
        began = time.perf_counter()
        with closing(open_catalog(settings, cache=cache)) as catalog:
            opened, working = time.perf_counter(), time.process_time()
            rows = sum(1 for _ in catalog.rows())
            ended, worked = time.perf_counter(), time.process_time()
        openings.append(opened - began)
        listings.append(ended - opened)
        busy.append(worked - working)
    opening = median(openings) if name in INDEXED else None
    return Listed(name, rows, opening, median(listings), median(busy), _kept("VmHWM") - before)


def measured(name: str, number: int, passes: int) -> Listed:
    """One kind of catalog, prepared here and listed in a process of its own."""
    make = (TABLES | OF_FILES)[name]
    with tempfile.TemporaryDirectory() as path:
        place = Path(path)
        for each in ("many", "few", "cache"):
            (place / each).mkdir()
        settings, few = make(place / "many", number), make(place / "few", FEW)
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            return alone.apply(measure, (name, settings, few, place / "cache", passes))


def _kept(what: str) -> int:
    """Bytes of this process's memory: VmRSS now, VmHWM at the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def section(found: list[Listed], said: str) -> str:
    """What was measured, as a table."""
    lines = [
        f"{said}.",
        "",
        "| | rows | into the index, rows/s | a pass, rows/s | rows a CPU second | peak |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in found:
        reading = "" if one.opening is None else f"{one.rows / one.opening:,.0f}"
        rate, alone = (f"{one.rows / seconds:,.0f}" for seconds in (one.listing, one.listing_cpu))
        peak = f"{one.peak / 1e6:,.0f} MB"
        lines.append(f"| {one.name} | {one.rows:,} | {reading} | **{rate}** | {alone} | {peak} |")
    return "\n".join(lines)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000, help="of tables")
    options.add_argument("--files", type=int, default=100_000, help="of a folder, and lines of a list")
    options.add_argument("--passes", type=int, default=3)
    options.add_argument("--only", choices=[*TABLES, *OF_FILES], help="one kind of catalog")
    options.add_argument("--json", action="store_true")
    options.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    chosen = options.parse_args()
    said = machine()
    wanted = [chosen.only] if chosen.only else [*TABLES, *OF_FILES]
    found = [measured(name, chosen.rows if name in TABLES else chosen.files, chosen.passes) for name in wanted]
    if chosen.write:
        write_section(chosen.write, "benchmarks.catalogs", section(found, said))
    print(json.dumps([asdict(one) for one in found]) if chosen.json else section(found, said))


if __name__ == "__main__":
    main()
