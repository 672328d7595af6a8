"""Collections for several models at once, from one decoding of each picture, beside each of them alone."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.throughput.images import Pictures
from benchmarks.throughput.limits import rows
from benchmarks.throughput.ours import BATCH, PART_OF
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.opening import Pipelines, open_pipeline
from console_core.engine.seat import Seat
from console_core.engine.shared import Shared
from console_core.engine.types import Pipeline
from console_core.migration.filling import Filling
from console_core.vectorstore.types import CollectionSpec, VectorStore


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Seconds until the last of all models was done, and until the slowest was done alone; how many pictures were
    decoded for all of them together."""

    together: float
    slowest: float
    decoded: int

    @property
    def ratio(self) -> float:
        return self.together / self.slowest


def at_once(models: Sequence[Embedder], pictures: Pictures, number: int, mode: Mode, store: VectorStore) -> AtOnce:
    """Embed so many rows with each model alone, one after the other, and then with all of them at once."""
    alone = [_filled(model, f"alone-{place}", pictures, number, mode, store) for place, model in enumerate(models)]
    names = [f"together-{place}" for place in range(len(models))]
    images = LocalFiles((pictures.folder,))
    shared = Shared(images, mode, lambda: names)
    seats: list[Seat] = []
    errors: list[BaseException] = []

    def one(name: str, model: Embedder) -> None:
        def join(_images: ImageStore, _models: Sequence[Embedder], _mode: Mode, *, pictures: int) -> Pipeline:
            seats.append(shared.join(name, model, left=number, pictures=pictures))
            return seats[-1]

        try:
            _filled(model, name, pictures, number, mode, store, join)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=pair) for pair in zip(names, models, strict=True)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    if errors:
        raise errors[0]
    lines = {line for seat in seats for line in seat.lines}  # more than one where somebody had to go on alone
    decoded = sum(sum(line.readings().decoders.values()) for line in lines)
    return AtOnce(taken, max(alone), decoded)


def _filled(
    model: Embedder,
    name: str,
    pictures: Pictures,
    number: int,
    mode: Mode,
    store: VectorStore,
    pipelines: Pipelines = open_pipeline,
) -> float:
    """Seconds that filling a collection took."""
    store.create(name, CollectionSpec(model.card.dimension))
    try:
        filling = Filling(
            store,
            LocalFiles((pictures.folder,)),
            model,
            name,
            "benchmark",
            failed_among=lambda _collection, _keys: {},
            mode=mode,
            keeps=False,
            pictures=PART_OF,
            pipelines=pipelines,
        )
        began = time.perf_counter()
        written = sum(len(one.points) for one in filling.batches(rows(pictures, number), lambda: BATCH, fills=False))
        taken = time.perf_counter() - began
    finally:
        store.drop(name)
    if written != number:
        raise RuntimeError(f"{written} of {number} pictures were written.")
    return taken
