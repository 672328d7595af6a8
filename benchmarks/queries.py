"""How long a text query takes while a run embeds at full speed.

    python -m benchmarks.queries [--model ViT-B-32] [--seconds 30] [--json] [--write docs/performance.md]

As many threads as pay embed pictures in the background, as a run does, with a model of random weights; the question is
asked beside them. Only the ratios count. The last line shows what it costs where a run does not say that it works in
the background: its threads are as good as the query's.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.console.report import machine, write_section
from console_core.embedding.openclip import load
from console_core.embedding.precision import Wanted
from console_core.embedding.registry import parse
from console_core.embedding.turns import background
from console_core.embedding.types import Embedder

Around = Callable[[], AbstractContextManager[None]]
TEXT = "a red car in the snow"
ROUNDS = 4


@contextmanager
def running(embedder: Embedder, around: Around = background) -> Iterator[list[float]]:
    """Embed on all threads that pay until the block ends; the list gets the end of each pass."""
    stop, ends = threading.Event(), list[float]()

    def work() -> None:
        slab = embedder.slab(embedder.batch)
        slab[:] = np.random.default_rng(1).integers(0, 256, slab.shape, dtype=np.uint8)
        with around():
            while not stop.is_set():
                embedder.embed_images(slab)
                ends.append(time.perf_counter())

    threads = [threading.Thread(target=work) for _ in range(embedder.passes)]
    for thread in threads:
        thread.start()
    try:
        while len(ends) < embedder.passes:
            time.sleep(0.01)
        yield ends
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def nobody() -> Iterator[list[float]]:
    """What `running` is where nothing runs."""
    yield []


def asked(embedder: Embedder, seconds: float, pause: float) -> list[float]:
    """Milliseconds of queries, asked for so many seconds with a pause after each."""
    until, taken = time.perf_counter() + seconds, list[float]()
    while time.perf_counter() < until:
        started = time.perf_counter()
        embedder.embed_texts([TEXT])
        taken.append((time.perf_counter() - started) * 1e3)
        time.sleep(pause)
    return taken


def rate(embedder: Embedder, ends: list[float], since: float) -> float:
    """Pictures a second."""
    done = sum(end > since for end in ends)
    return done * embedder.batch / (time.perf_counter() - since)


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


def run(model: str, precision: Wanted, seconds: float, pause: float) -> dict[str, Any]:
    """The three measurements in turn, several times, so that a neighbour on the machine disturbs all of them."""
    embedder = load(parse(model), "auto", precision=precision, random_weights=True)
    embedder.expect(10**4)
    asked(embedder, 1, 0)
    cases = {
        "nothing runs": None,
        "a run in the background": background,
        "a run that claims to be a query": nullcontext,
    }
    taken: dict[str, list[float]] = {case: [] for case in cases}
    pictures: dict[str, list[float]] = {case: [] for case in cases}
    alone: list[float] = []
    for _ in range(ROUNDS):
        for case, around in cases.items():
            beside = running(embedder, around) if around else nobody()
            with beside as ends:
                started = time.perf_counter()
                taken[case] += asked(embedder, seconds / ROUNDS, pause)
                pictures[case].append(rate(embedder, ends, started))
                if around is background:
                    started = time.perf_counter()
                    time.sleep(seconds / ROUNDS)
                    alone.append(rate(embedder, ends, started))
    lines: list[dict[str, Any]] = []
    for case in cases:
        lines.append(line(case, taken[case], float(np.median(pictures[case])), lines[0] if lines else None))
    kept = round(lines[1]["pictures_per_second"] / float(np.median(alone)), 2)
    return {"model": model, "device": embedder.device, "passes": embedder.passes, "run_keeps": kept, "lines": lines}


def section(found: dict[str, Any], said: str) -> str:
    """The report as Markdown."""
    rows = [("A text query beside", "p50", "p95", "p95 of idle", "pictures/s", "queries"), ("---", *["---:"] * 5)]
    for one in found["lines"]:
        rate = f"{one['pictures_per_second']:,.1f}" if one["pictures_per_second"] else ""
        times = (f"{one['p50_ms']:,.1f} ms", f"{one['p95_ms']:,.1f} ms", f"{one['of_idle_p95']:.2f}×")
        rows.append((one["what"], *times, rate, str(one["queries"])))
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    about = f"{found['model']} on {found['device']}, {found['passes']} passes at once. {said}."
    return f"{about}\n\n{table}\n\nBeside the queries the run keeps {found['run_keeps']:.0%} of its speed."


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--precision", default="auto", choices=["auto", "float32", "float16", "bfloat16"])
    parser.add_argument("--seconds", type=float, default=30, help="of each case, in all")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between two queries")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    said = machine()
    found = run(given.model, given.precision, given.seconds, given.pause)
    print(json.dumps({"machine": said, **found}, indent=2) if given.json else section(found, said))
    if given.write:
        write_section(given.write, "benchmarks.queries", section(found, said))


if __name__ == "__main__":
    main()
