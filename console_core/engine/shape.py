"""How many of what a pipeline has, and the memory that it may take because of that."""

from collections.abc import Sequence
from dataclasses import dataclass

from console_core.catalog.decoding import MAX_PIXELS
from console_core.catalog.encoded import MOST_BYTES
from console_core.catalog.local_files import READERS
from console_core.catalog.types import UNTOLD
from console_core.embedding.device import usable_cores
from console_core.embedding.types import Embedder

READ_AHEAD = 256 * 1024 * 1024
"""Bytes of files that wait to be decoded; a larger file is read alone."""
DECODING = 1024 * 1024 * 1024
"""Bytes of pictures in decoding; a larger picture is decoded alone."""
LARGEST = MAX_PIXELS * MOST_BYTES
"""Bytes of the largest picture that is decoded at all, in the format that takes most."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`batch` pictures in one of `slabs` slabs, of `slab_bytes` each for all models; threads for reading, for decoding,
    and for forward passes."""

    batch: int
    slabs: int
    slab_bytes: int
    readers: int
    decoders: int
    passes: int

    @classmethod
    def of(
        cls,
        embedders: Sequence[Embedder],
        *,
        readers: int = READERS,
        cores: int | None = None,
        largest: bool = False,
    ) -> "Shape":
        """What suits these models on this machine: every pass has a slab in work and one that is ready, and two more
        are being filled. `readers` is what the image store is good for. `largest`: with the largest batch that may be
        found once the models know what is to come."""
        cores = cores or usable_cores()
        batch = min(one.largest_batch if largest else one.batch for one in embedders)
        passes = max(one.passes for one in embedders)
        sizes = (one.preprocessing for one in embedders)
        bytes_each = sum(3 * size.height * size.width for size in sizes)
        return cls(batch, 2 * passes + 2, batch * bytes_each, readers, max(1, cores), passes)

    @property
    def capacity(self) -> int:
        """Pictures in work at a time that keep every stage busy."""
        return self.slabs * self.batch + 2 * (self.readers + self.decoders)

    @property
    def bound(self) -> int:
        """Bytes of memory that it takes at most beside the models, their passes and the vectors, whatever the pictures
        are: the largest that is decoded at all is decoded alone."""
        return self.bound_for(LARGEST)

    def bound_for(self, largest: int) -> int:
        """The same where decoding a picture takes at most so many bytes."""
        return self.slabs * self.slab_bytes + READ_AHEAD + self.readers * UNTOLD + max(DECODING, largest)
