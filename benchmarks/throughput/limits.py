"""What each stage can do alone: none of them can be outrun by the whole."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from benchmarks.throughput.devices import Simulated
from benchmarks.throughput.images import Pictures
from console_core.catalog.encoded import read_header
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.embedding.preprocessing import Mode
from console_core.embedding.turns import background
from console_core.embedding.types import Embedder
from console_core.engine.preparing import prepared
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore


def row(pictures: Pictures, place: int) -> ImageRow:
    """A row of a catalog over the files, which come in turn."""
    return ImageRow(str(place), (pictures.files[place % len(pictures.files)],), {"place": place}, "1")


def rows(pictures: Pictures, number: int) -> list[ImageRow]:
    """A catalog of so many rows over the files."""
    return [row(pictures, place) for place in range(number)]


def forward(model: Embedder, seconds: float = 2.0) -> float:
    """Pictures a second in forward passes alone, as many at once as pay; the pixels are in a slab."""
    pixels = model.slab(model.batch)
    pixels[:] = np.random.default_rng(2).integers(0, 255, pixels.shape, dtype=np.uint8)
    _together(lambda _place: model.embed_images(pixels), model.passes)
    until = time.perf_counter() + seconds
    counts = [0] * model.passes

    def passes(place: int) -> None:
        while time.perf_counter() < until:
            counts[place] += len(model.embed_images(pixels))

    taken = _together(passes, model.passes)
    return sum(counts) / taken


def transfer(model: Embedder, device: str, seconds: float = 1.0) -> float:
    """Pictures a second copied from a slab (page-locked where that pays) to the device, and normalised there."""
    mean, factor = (torch.tensor(of).view(1, 3, 1, 1).to(device) for of in _constants(model))
    slab, count = torch.from_numpy(model.slab(model.batch)), 0
    began = time.perf_counter()
    while time.perf_counter() < began + seconds:
        there = slab.to(device, non_blocking=True).permute(0, 3, 1, 2)
        there.to(torch.float32).sub_(mean).mul_(factor)
        count += len(slab)
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
    return count / (time.perf_counter() - began)


def _constants(model: Embedder) -> tuple[list[float], list[float]]:
    """What is subtracted from red, green and blue, and what the rest is multiplied by."""
    of = model.preprocessing
    return [255 * mean for mean in of.mean], [1 / (255 * deviation) for deviation in of.deviation]


def decode(model: Embedder, pictures: Pictures, number: int, mode: Mode, threads: int) -> float:
    """Pictures a second read, decoded and resized, without a device."""
    images, sizes = LocalFiles((pictures.folder,)), [model.preprocessing]

    def one(row: ImageRow) -> None:
        header = read_header(images.read(row.candidates[0]), row.candidates[0], quick=mode is not Mode.EXACT)
        prepared(header, sizes, mode)

    return _rate(one, rows(pictures, number), threads)


def read(pictures: Pictures, number: int, threads: int) -> float:
    """Pictures a second read from the disk, or its cache."""
    images = LocalFiles((pictures.folder,))
    return _rate(lambda row: images.read(row.candidates[0]), rows(pictures, number), threads)


def upsert(store: VectorStore, dimension: int, number: int) -> float:
    """Points a second written into an empty collection."""
    store.create("upsert", CollectionSpec(dimension))
    vectors = np.random.default_rng(3).standard_normal((256, dimension)).astype(np.float32)
    began = time.perf_counter()
    for start in range(0, number, 256):
        count = min(256, number - start)
        store.upsert("upsert", [Point(start + row, vectors[row], {"place": start + row}) for row in range(count)])
    taken = time.perf_counter() - began
    store.drop("upsert")
    return number / taken


def whole(stages: dict[str, float], model: Embedder) -> float:
    """The limit of the whole, from the rates of its stages. On a processor all of them share the cores."""
    if isinstance(model, Simulated) or model.device.startswith("cuda"):
        return min(stages.values())
    return 1 / sum(1 / rate for rate in stages.values())


def _rate(work: Callable[[ImageRow], object], jobs: Sequence[ImageRow], threads: int) -> float:
    lock, upcoming = threading.Lock(), iter(jobs)

    def worker(_place: int) -> None:
        for job in iter(lambda: _next(lock, upcoming), None):
            work(job)

    return len(jobs) / _together(worker, threads)


def _next(lock: threading.Lock, upcoming: Iterator[ImageRow]) -> ImageRow | None:
    with lock:
        return next(upcoming, None)


def _together(work: Callable[[int], object], threads: int) -> float:
    """Seconds until all of some threads are done. They work in the background, as those of the pipeline do: only so are
    passes padded and compiled as a run's are."""

    def in_background(place: int) -> None:
        with background():
            work(place)

    workers = [threading.Thread(target=in_background, args=(place,)) for place in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began
