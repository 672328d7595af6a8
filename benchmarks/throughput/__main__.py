"""How near the pipeline comes to its own limit, and how far ahead of others it is, in one run on the same files.

    python -m benchmarks.throughput [--images synthetic:vga] [--model ViT-B-32] [--device fake:250]
        [--also MODEL] [--mode fast] [--precision auto] [--sink none] [--n 2000] [--repeats 3] [--no-peers]
        [--json OUT] [--write docs/performance.md]

Without --images, --model and --device it measures the standard cases. Everything of a case is measured in turn, again
and again, and ratios are taken within a turn, so that what others do on the machine changes them little. `fake:RATE`
is a device that sleeps: the pipeline is judged without a graphics card.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch

from benchmarks.console.report import machine, write_section
from benchmarks.throughput import limits, peers
from benchmarks.throughput.clip_retrieval import ClipRetrieval, NotMeasured
from benchmarks.throughput.devices import Simulated, embedder, real
from benchmarks.throughput.images import Pictures, pictures
from benchmarks.throughput.ours import PART_OF, end_to_end
from benchmarks.throughput.parity import parity
from benchmarks.throughput.report import Case, markdown, text
from benchmarks.throughput.sinks import sink
from benchmarks.throughput.together import at_once
from console_core.embedding.device import usable_cores
from console_core.embedding.precision import Precision
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.shape import Shape

USUAL = "ViT-B-32"
STANDARD: tuple[tuple[Any, ...], ...] = (
    ("forward-bound", "synthetic:vga", USUAL, "fake:250"),
    ("balanced", "synthetic:vga", USUAL, "fake:1500"),
    ("decode-bound", "synthetic:vga", USUAL, "fake:100000"),
    ("forward-bound, full HD", "synthetic:fhd", USUAL, "fake:60"),
    ("decode-bound, full HD", "synthetic:fhd", USUAL, "fake:100000"),
    ("a mixture", "synthetic:mix", USUAL, "fake:100000"),
    ("ViT-B-32 on this processor", "synthetic:vga", USUAL, "cpu"),
    ("three models at once, decode-bound, full HD", "synthetic:fhd", USUAL, "fake:100000", (USUAL, USUAL)),
)
SECONDS = 8.0
"""About how long the end-to-end measurement of one turn lasts; `--n` overrides it."""


def main() -> None:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=about)
    parser.add_argument("--images", default="", help="synthetic:vga, :fhd, :12mp, :mix, or a folder")
    parser.add_argument("--model", default="", help="an architecture of open_clip (ViT-B-32); its weights are random")
    parser.add_argument("--also", action="append", default=[], help="a further model, to be embedded with at once")
    parser.add_argument("--device", default="", help="auto, cpu, cuda or fake:<pictures a second>")
    parser.add_argument("--mode", default="fast", type=Mode, choices=list(Mode))
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--sink", default="none", help="none, or a store's URL")
    parser.add_argument("--n", type=int, default=0, help="pictures of an end-to-end measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--clip-retrieval", action="store_true", help="where the model is real")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    chosen = [("", given.images or "synthetic:vga", given.model or USUAL, given.device or "auto", tuple(given.also))]
    standard = not (given.images or given.model or given.device or given.also)
    said = machine()
    with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
        cases = [
            _measure(title or f"{model} on {device}", images, model, device, given, Path(folder), *also)
            for title, images, model, device, *also in (STANDARD if standard else chosen)
        ]
    print(text(cases, said))
    if given.json:
        document = {"machine": said, "cases": [case.as_json() for case in cases]}
        given.json.write_text(json.dumps(document, indent=2), "utf-8")
    if given.write:
        write_section(given.write, "benchmarks.throughput", markdown(cases, said))


def _measure(
    title: str, images: str, wanted: str, device: str, given: argparse.Namespace, into: Path, also: Sequence[str] = ()
) -> Case:
    torch.set_num_threads(1)
    files = pictures(images, into)
    ours = embedder(wanted, device, given.precision)
    models = [ours, *(embedder(name, device, given.precision) for name in also)]
    for model in models:
        model.expect(PART_OF)
    cores, mode, store = usable_cores(), given.mode, sink(given.sink)
    shape = Shape.of([ours])
    case = Case(title, ours.device, mode, given.sink, str(files), bound=shape.bound, load=os.getloadavg()[0])
    try:
        number = given.n or _enough(ours, files, mode, cores)
        ways = {} if given.no_peers else _peers(ours, cores)
        if given.clip_retrieval and not isinstance(ours, Simulated):
            ways["clip-retrieval"] = ClipRetrieval(into / "clip-retrieval", ours, cores).measured, 3
        limits.decode(ours, files, min(number, 200), mode, cores)
        end_to_end(ours, files, min(number, 2 * shape.capacity), mode, store)
        if also:
            at_once(models, files, min(number, 2 * shape.capacity), mode, store)
        for _ in range(given.repeats):
            stages = {
                "read": limits.read(files, 4 * number, shape.readers),
                "decode": limits.decode(ours, files, number, mode, cores),
                "forward": limits.forward(ours),
            }
            if (card := ours.device.partition(",")[0]).startswith("cuda"):
                stages["transfer"] = limits.transfer(ours, card)
            if given.sink != "none":
                stages["upsert"] = limits.upsert(store, ours.card.dimension, 4096)
            for stage, rate in stages.items():
                case.stages.setdefault(stage, []).append(rate)
            case.limits.append(limits.whole(stages, ours))
            found = end_to_end(ours, files, number, mode, store)
            case.ours.append(found.rate)
            case.growth = max(case.growth, found.growth)
            if also:
                several = at_once(models, files, number, mode, store)
                case.models = len(models)
                case.decoded.append(several.decoded / number)
                case.at_once.append(number / several.together)
                case.as_long.append(several.ratio)
            for name, (measure, share) in list(ways.items()):
                count = max(64, number // share)
                paths = [str(files.folder / files.files[place % len(files.files)]) for place in range(count)]
                try:
                    case.peers.setdefault(name, []).append(measure(paths, store=store))
                except NotMeasured as why:
                    case.remarks.append(f"{name} is not measured: {why}")
                    del ways[name], case.peers[name]
    finally:
        store.close()
    if not isinstance(ours, Simulated):
        case.parity = parity(ours, real(wanted, device, "float32"), files, mode)
    return case


def _enough(model: Embedder, files: Pictures, mode: Mode, cores: int) -> int:
    """Pictures that take about SECONDS."""
    slowest = min(limits.forward(model, 1.0), limits.decode(model, files, 64, mode, cores))
    return max(192, int(slowest * SECONDS) // 64 * 64)


def _peers(model: Embedder, cores: int) -> dict[str, tuple[Callable[..., float], int]]:
    """Each peer with the share of the pictures that it gets: slow ones are measured on fewer."""
    theirs = peers.theirs(model, "float32")
    found: dict[str, tuple[Callable[..., float], int]] = {
        "naive loop": (partial(peers.measured, peers.naive, model=theirs), 10),
        "as sentence-transformers does": (partial(peers.measured, peers.sentence_transformers, model=theirs), 6),
        "DataLoader": (partial(peers.measured, peers.data_loader, model=theirs, workers=cores), 3),
    }
    precision = model.device.partition(", ")[2]
    if not isinstance(model, Simulated) and precision != "float32":
        same = peers.theirs(model, cast(Precision, precision))
        loader = partial(peers.measured, peers.data_loader, model=same, workers=cores)
        found[f"DataLoader, with our {precision}"] = (loader, 3)
    return found


if __name__ == "__main__":
    main()
