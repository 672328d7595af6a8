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
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.console.report import machine, write_section
from benchmarks.throughput import limits, peers
from benchmarks.throughput.devices import Simulated, embedder, real
from benchmarks.throughput.images import Pictures, pictures
from benchmarks.throughput.ours import end_to_end
from benchmarks.throughput.parity import parity
from benchmarks.throughput.report import Case, markdown, text
from benchmarks.throughput.sinks import sink
from benchmarks.throughput.together import at_once
from console_core.embedding.device import usable_cores
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.shape import Shape

STANDARD: tuple[tuple[Any, ...], ...] = (
    ("forward-bound", "synthetic:vga", "", "fake:250"),
    ("balanced", "synthetic:vga", "", "fake:1500"),
    ("decode-bound", "synthetic:vga", "", "fake:100000"),
    ("forward-bound, full HD", "synthetic:fhd", "", "fake:60"),
    ("decode-bound, full HD", "synthetic:fhd", "", "fake:100000"),
    ("a mixture", "synthetic:mix", "", "fake:100000"),
    ("ViT-B-32 on this processor", "synthetic:vga", "ViT-B-32", "cpu"),
    ("three models at once, decode-bound, full HD", "synthetic:fhd", "", "fake:100000", ("", "")),
)
SECONDS = 8.0
"""About how long the end-to-end measurement of one turn lasts; `--n` overrides it."""


def main() -> None:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=about)
    parser.add_argument("--images", default="", help="synthetic:vga, :fhd, :12mp, :mix, or a folder")
    parser.add_argument("--model", default="ViT-B-32", help="an architecture of open_clip; its weights are random")
    parser.add_argument("--also", action="append", default=[], help="a further model, to be embedded with at once")
    parser.add_argument("--device", default="", help="auto, cpu, cuda or fake:<pictures a second>")
    parser.add_argument("--mode", default="fast", type=Mode, choices=list(Mode))
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--sink", default="none", help="none, or a store's URL")
    parser.add_argument("--n", type=int, default=0, help="pictures of an end-to-end measurement")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--clip-retrieval", action="store_true", help="try to install it in an environment of its own")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    chosen = [("", given.images or "synthetic:vga", given.model, given.device or "auto", tuple(given.also))]
    standard = not (given.images or given.device)
    said = machine()
    with tempfile.TemporaryDirectory(prefix="throughput-") as folder:
        cases = [
            _measure(title or f"{model} on {device}", pictures(images, Path(folder)), model, device, given, *also)
            for title, images, model, device, *also in (STANDARD if standard else chosen)
        ]
    if given.clip_retrieval:
        cases[0].remarks.append(f"clip-retrieval: {peers.clip_retrieval()}")
    print(text(cases, said))
    if given.json:
        document = {"machine": said, "cases": [case.as_json() for case in cases]}
        given.json.write_text(json.dumps(document, indent=2), "utf-8")
    if given.write:
        write_section(given.write, "benchmarks.throughput", markdown(cases, said))


def _measure(
    title: str, files: Pictures, model: str, device: str, given: argparse.Namespace, also: Sequence[str] = ()
) -> Case:
    torch.set_num_threads(1)
    ours = embedder(model, device, given.precision)
    models = [ours, *(embedder(name, device, given.precision) for name in also)]
    cores, mode, store = usable_cores(), given.mode, sink(given.sink)
    shape = Shape.of([ours])
    case = Case(title, ours.device, mode, given.sink, str(files), bound=shape.bound, load=os.getloadavg()[0])
    try:
        number = given.n or _enough(ours, files, mode, cores)
        ways = {} if given.no_peers else _peers(ours, cores)
        limits.decode(ours, files, min(number, 200), mode, cores)
        end_to_end(ours, files, min(number, 2 * shape.capacity), mode, store)
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
                case.at_once.append(number / several.together)
                case.as_long.append(several.ratio)
            for name, (measure, share) in ways.items():
                count = max(64, number // share)
                paths = [str(files.folder / files.files[place % len(files.files)]) for place in range(count)]
                case.peers.setdefault(name, []).append(measure(paths, store=store))
    finally:
        store.close()
    if not isinstance(ours, Simulated):
        case.parity = parity(ours, real(model, device, "float32"), files, mode)
    return case


def _enough(model: Embedder, files: Pictures, mode: Mode, cores: int) -> int:
    """Pictures that take about SECONDS."""
    slowest = min(limits.forward(model, 1.0), limits.decode(model, files, 64, mode, cores))
    return max(192, int(slowest * SECONDS) // 64 * 64)


def _peers(model: Embedder, cores: int) -> dict[str, tuple[partial[float], int]]:
    """Each peer with the share of the pictures that it gets: slow ones are measured on fewer."""
    theirs = peers.forward_of(model, torch.float32)
    found: dict[str, tuple[partial[float], int]] = {
        "naive loop": (partial(peers.measured, peers.naive, forward=theirs), 10),
        "as sentence-transformers does": (partial(peers.measured, peers.sentence_transformers, forward=theirs), 6),
        "DataLoader": (partial(peers.measured, peers.data_loader, forward=theirs, workers=cores), 3),
    }
    if not isinstance(model, Simulated) and "bfloat16" in model.device:
        same = peers.forward_of(model, torch.bfloat16)
        found["DataLoader, with our precision"] = (
            partial(peers.measured, peers.data_loader, forward=same, workers=cores),
            3,
        )
    return found


if __name__ == "__main__":
    main()
