"""Whether there is room: in the store, on the disks of the store and the ledger, and in memory."""

import shutil
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from console_core.catalog.decoding import MAX_PIXELS
from console_core.embedding.memory import memory_of
from console_core.engine.shape import Shape
from console_core.migration.findings import Finding, block, info, warn
from console_core.runs.owner import lock_file
from console_core.vectorstore.types import StoreInfo

SAFETY = 1.5
"""Free space asked for, as a multiple of what the target is estimated to take."""
PAYLOAD_BYTES = 700
BATCHES = 4
"""One is being made, two are being written, and one waits for its turn."""
ROW_BYTES = 4_000
"""Of a picture whose vector is made: its row, its payload, and what becomes a point."""
USUAL = 200_000_000
"""Bytes of files and pictures in decoding where no picture is much larger than a camera makes them."""
LEDGER_BYTES = 600
"""For each picture that fails; a tenth of all is reckoned with."""
LEDGER_LOG = 8_000_000
"""The ledger's log before it is folded in, and the journal."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a build needs: on the store's disk (0 for a server's), on the ledger's disk, and in memory.

    `memory` is the most that it takes beyond what is taken now, whatever the pictures are; `least_memory` what it takes
    with pictures of any usual size.
    """

    store: int
    ledger: int
    memory: int
    least_memory: int

    def plus(self, other: "Need") -> "Need":
        """What both need at once."""
        return Need(*(mine + others for mine, others in zip(astuple(self), astuple(other), strict=True)))


def need(store: StoreInfo, *, to_embed: int, dimension: int, batch_size: int, shape: Shape) -> Need:
    """What embedding so many pictures in a pipeline of this shape takes."""
    batches = BATCHES * batch_size * (4 * dimension + ROW_BYTES)
    kept = batches + round(to_embed * dimension * store.memory_per_number)
    disk = to_embed * bytes_per_point(store, dimension)
    ledger = LEDGER_LOG + to_embed * LEDGER_BYTES // 10
    return Need(disk, ledger, kept + shape.bound, kept + shape.slabs * shape.slab_bytes + USUAL)


def bytes_per_point(store: StoreInfo, dimension: int) -> int:
    """Vectors, their index and the payload."""
    return round(store.disk_per_number * dimension) + PAYLOAD_BYTES


def about_room(store: StoreInfo, needed: Need, selected: int, ledger_url: str) -> Iterator[Finding]:
    """What does not fit, and otherwise the figures."""
    if store.capacity is not None and selected > store.capacity:
        yield block(
            "capacity",
            f"{selected:,} points do not fit into the embedded store, which is good for {store.capacity:,}.",
            store.outgrown,
        )
    told: list[str] = []
    if store.embedded:
        yield from _disk("disk", "The target", Path(store.location), SAFETY * needed.store, needed.store, told)
    ledger = lock_file(ledger_url)
    if ledger is not None:
        # Where both are on one disk, the ledger gets what the store leaves.
        shared = store.embedded and _device(ledger.parent) == _device(Path(store.location))
        least = needed.ledger + (SAFETY * needed.store if shared else 0)
        yield from _disk("disk-ledger", "The ledger", ledger.parent, least, needed.ledger, told)
    available = memory_of("cpu").available
    told.append(f"at most {_size(needed.memory)} of memory, whatever the pictures are ({_size(available)} available)")
    if available < needed.least_memory:
        yield block(
            "memory",
            f"The build needs about {_size(needed.least_memory)} of memory, and {_size(available)} are available.",
            "Stop other programs, use a smaller batch, or connect a server, which keeps vectors on its own.",
        )
    elif available < needed.memory:
        yield warn(
            "memory",
            f"Where there are pictures of up to {MAX_PIXELS / 1e6:,.0f} megapixels, the build takes up to "
            f"{_size(needed.memory)} of memory, and {_size(available)} are available.",
            "Stop other programs, or make sure that no picture is that large.",
        )
    yield info("room", f"Needed: {', '.join(told)}.")


def _disk(code: str, what: str, folder: Path, least: float, needed: int, told: list[str]) -> Iterator[Finding]:
    free = shutil.disk_usage(_existing(folder)).free
    if free < least:
        yield block(
            code,
            f"{what} needs about {_size(needed)}, and {_size(free)} are free.",
            f"Make space on the disk of {folder}.",
        )
    told.append(f"{_size(needed)} of disk for {what.lower()} ({_size(free)} free)")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((one for one in (folder, *folder.parents) if one.is_dir()), folder)


def _device(folder: Path) -> int:
    return _existing(folder).stat().st_dev


def _size(number: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return f"{number / 1e3:,.0f} kB"
