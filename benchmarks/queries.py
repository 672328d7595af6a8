"""How long a text query takes while a run embeds at full speed.

    python -m benchmarks.queries [--model ViT-B-32] [--images synthetic:vga] [--sink none] [--seconds 30] [--json]
        [--write docs/performance.md]

A build goes on beside the question: the console's own pipeline reads, decodes, embeds and writes pictures, with the
same model, whose weights are random. Only the ratios count. The last line shows what it costs where a run does not say
that it works in the background: its threads are as good as the query's. Where a store is named, the build writes into
it, and the question is also answered from it.
"""

import argparse
import itertools
import json
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import numpy as np

from benchmarks.console.report import machine, write_section
from benchmarks.throughput.images import Pictures, pictures
from benchmarks.throughput.limits import row
from benchmarks.throughput.ours import BATCH
from benchmarks.throughput.sinks import sink
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageStore
from console_core.embedding.loading import load
from console_core.embedding.precision import Wanted
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import parse
from console_core.embedding.types import Embedder
from console_core.engine.meter import Stage
from console_core.engine.opening import open_pipeline
from console_core.engine.types import Pipeline
from console_core.migration.batch import Filled
from console_core.migration.filling import Filling
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore

TEXT = "a red car in the snow"
ROUNDS = 4
ROWS = 10_000
"""Of the catalog, which the build embeds again and again."""
TARGET = "queries"
PAUSE = 0.2
"""Seconds after each question."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a build needs: a model, pictures, and a store with a collection of ROWS points."""

    embedder: Embedder
    pictures: Pictures
    store: VectorStore
    searches: bool

    def begin(self) -> None:
        self.store.create(TARGET, CollectionSpec(self.embedder.card.dimension))
        vectors = np.random.default_rng(1).standard_normal((ROWS, self.embedder.card.dimension)).astype(np.float32)
        for start in range(0, ROWS, BATCH):
            some = range(start, min(start + BATCH, ROWS))
            self.store.upsert(TARGET, [Point(point_id(str(place)), vectors[place], {}) for place in some])

    def ask(self) -> None:
        (vector,) = self.embedder.embed_texts([TEXT])
        if self.searches:
            self.store.search(TARGET, vector)


@contextmanager
def running(work: Work) -> Iterator[Callable[[], int]]:
    """A build that goes on until the block ends. What is given tells how many pictures it embedded."""
    opened: list[Pipeline] = []
    begun, stop = threading.Event(), threading.Event()

    def pipelines(images: ImageStore, models: Sequence[Embedder], mode: Mode, /, *, pictures: int) -> Pipeline:
        opened.append(open_pipeline(images, models, mode, pictures=pictures))
        return opened[-1]

    filling = Filling(
        work.store,
        LocalFiles((work.pictures.folder,)),
        work.embedder,
        TARGET,
        "benchmark",
        failed_among=lambda _collection, _keys: {},
        mode=Mode.FAST,
        keeps=False,
        pictures=ROWS,
        pipelines=pipelines,
    )

    def fill() -> None:
        rows = (row(work.pictures, place % ROWS) for place in itertools.count())
        batches = cast(Generator[Filled, None, None], filling.batches(rows, lambda: BATCH, fills=False))
        with closing(batches):
            for _ in batches:
                begun.set()
                if stop.is_set():
                    break

    with ThreadPoolExecutor(1) as lane:
        build = lane.submit(fill)
        try:
            while not begun.wait(0.1) and not build.done():
                pass
            yield lambda: opened[-1].readings().stages[Stage.DEVICE].pictures
        finally:
            stop.set()
            build.result()


@contextmanager
def unyielding(work: Work) -> Iterator[Callable[[], int]]:
    """`running`, but its threads do not say that they work in the background."""
    with ExitStack() as changed:
        for module in ("engine.threads", "migration.behind"):
            changed.enter_context(patch(f"console_core.{module}.background", nullcontext))
        yield changed.enter_context(running(work))


@contextmanager
def accompanied(work: Work) -> Iterator[Callable[[], int]]:
    """`running`, while a second person asks as often as the first one."""
    stop = threading.Event()

    def another() -> None:
        while not stop.wait(PAUSE):
            work.ask()

    with running(work) as embedded, ThreadPoolExecutor(1) as person:
        asking = person.submit(another)
        try:
            yield embedded
        finally:
            stop.set()
            asking.result()


def nobody(_work: Work) -> AbstractContextManager[Callable[[], int]]:
    """What `running` is where nothing runs."""
    return nullcontext(lambda: 0)


CASES: dict[str, Callable[[Work], AbstractContextManager[Callable[[], int]]]] = {
    "nothing runs": nobody,
    "a run in the background": running,
    "such a run, and a second person who asks": accompanied,
    "a run that claims to be a query": unyielding,
}


def asked(work: Work, seconds: float, pause: float) -> list[float]:
    """Milliseconds of queries, asked for so many seconds with a pause after each."""
    until, taken = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < until:
        started = time.perf_counter()
        work.ask()
        taken.append((time.perf_counter() - started) * 1e3)
        time.sleep(pause)
    return taken


@contextmanager
def rated(embedded: Callable[[], int], rates: list[float]) -> Iterator[None]:
    """Adds the pictures a second that are embedded during the block."""
    before, started = embedded(), time.perf_counter()
    yield
    rates.append((embedded() - before) / (time.perf_counter() - started))


def line(what: str, taken: list[float], pictures: float, idle: dict[str, Any] | None = None) -> dict[str, Any]:
    median, late = (float(np.percentile(taken, part)) for part in (50, 95))
    return {
        "what": what,
        "queries": len(taken),
        "p50_ms": round(median, 1),
        "p95_ms": round(late, 1),
        "of_idle_p95": round(late / idle["p95_ms"], 2) if idle else 1.0,
        "pictures_per_second": round(pictures, 1),
    }


def measure(work: Work, seconds: float, pause: float) -> dict[str, Any]:
    """The cases in turn, several times, so that a neighbour on the machine disturbs all of them."""
    taken: dict[str, list[float]] = {case: [] for case in CASES}
    beside: dict[str, list[float]] = {case: [] for case in CASES}
    alone: list[float] = []
    for _ in range(ROUNDS):
        for case, around in CASES.items():
            with around(work) as embedded:
                with rated(embedded, beside[case]):
                    taken[case] += asked(work, seconds / ROUNDS, pause)
                if around is running:
                    with rated(embedded, alone):
                        time.sleep(seconds / ROUNDS)
    lines: list[dict[str, Any]] = []
    for case in CASES:
        lines.append(line(case, taken[case], float(np.median(beside[case])), lines[0] if lines else None))
    kept = round(lines[1]["pictures_per_second"] / float(np.median(alone)), 2)
    device, passes = work.embedder.device, work.embedder.passes
    return {"model": work.embedder.card.key, "device": device, "passes": passes, "run_keeps": kept, "lines": lines}


def run(model: str, images: str, wanted: str, precision: Wanted, seconds: float, pause: float) -> dict[str, Any]:
    embedder = load(parse(model), "auto", precision=precision, random_weights=True)
    embedder.expect(ROWS)
    with tempfile.TemporaryDirectory(prefix="queries-") as folder, closing(sink(wanted)) as store:
        work = Work(embedder, pictures(images, Path(folder)), store, searches=wanted != "none")
        work.begin()
        try:
            asked(work, 1, 0)
            found = measure(work, seconds, pause)
        finally:
            store.drop(TARGET)
        return {**found, "images": str(work.pictures), "sink": wanted}


def section(found: dict[str, Any], said: str) -> str:
    """The report as Markdown."""
    rows = [("A text query beside", "p50", "p95", "p95 of idle", "pictures/s", "queries"), ("---", *["---:"] * 5)]
    for one in found["lines"]:
        rate = f"{one['pictures_per_second']:,.1f}" if one["pictures_per_second"] else ""
        times = (f"{one['p50_ms']:,.1f} ms", f"{one['p95_ms']:,.1f} ms", f"{one['of_idle_p95']:.2f}×")
        rows.append((one["what"], *times, rate, str(one["queries"])))
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    about = (
        f"{found['model']} on {found['device']}, {found['passes']} passes at once; sink: {found['sink']}; "
        f"{found['images']}. {said}."
    )
    return f"{about}\n\n{table}\n\nBeside the queries the run keeps {found['run_keeps']:.0%} of its speed."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--images", default="synthetic:vga", help="synthetic:vga, :fhd, :12mp, :mix, or a folder")
    parser.add_argument("--sink", default="none", help="none, or a store's URL")
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "float16", "bfloat16"])
    parser.add_argument("--seconds", type=float, default=30, help="of each case, in all")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between two queries")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    said = machine()
    found = run(given.model, given.images, given.sink, given.precision, given.seconds, given.pause)
    print(json.dumps({"machine": said, **found}, indent=2) if given.json else section(found, said))
    if given.write:
        write_section(given.write, "benchmarks.queries", section(found, said))


if __name__ == "__main__":
    main()
