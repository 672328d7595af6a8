"""The console's own way from end to end: catalog rows in, acknowledged points out."""

import time
from dataclasses import dataclass

from benchmarks.backup import Memory
from benchmarks.throughput.images import Pictures
from benchmarks.throughput.limits import rows
from console_core.catalog.local_files import LocalFiles
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.migration.filling import Filling
from console_core.vectorstore.types import CollectionSpec, VectorStore

BATCH = 256
PART_OF = 1_000_000
"""Pictures of the run that a measurement is a part of. Models prepare for as many, as far as their device gains by it:
the batch is probed, and passes are compiled."""


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Pictures a second, and bytes of memory beyond what was taken before, at the most."""

    rate: float
    growth: int


def end_to_end(model: Embedder, pictures: Pictures, number: int, mode: Mode, store: VectorStore) -> EndToEnd:
    """Embed so many rows and write their points; the model is loaded before."""
    store.create("throughput", CollectionSpec(model.card.dimension))
    filling = Filling(
        store,
        LocalFiles((pictures.folder,)),
        model,
        "throughput",
        "benchmark",
        failed_among=lambda _collection, _keys: {},
        mode=mode,
        keeps=False,
        pictures=PART_OF,
    )
    try:
        with Memory() as memory:
            began = time.perf_counter()
            written = sum(
                len(one.points) for one in filling.batches(rows(pictures, number), lambda: BATCH, fills=False)
            )
            taken = time.perf_counter() - began
    finally:
        store.drop("throughput")
    if written != number:
        raise RuntimeError(f"{written} of {number} pictures were written.")
    return EndToEnd(number / taken, memory.growth)
