"""A pipeline on threads of this process: read, decode into slabs, embed."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from console_core.catalog.encoded import read_header
from console_core.catalog.loading import content_digest, most_telling
from console_core.catalog.local_files import READERS
from console_core.catalog.types import ImageStore
from console_core.database import now
from console_core.embedding.preprocessing import Mode
from console_core.embedding.turns import background
from console_core.embedding.types import Embedder, Pixels
from console_core.engine.answering import answers
from console_core.engine.budget import Budget
from console_core.engine.help import Help
from console_core.engine.meter import Meter, Readings, Stage
from console_core.engine.preparing import prepared
from console_core.engine.ring import Ring, Slab
from console_core.engine.shape import DECODING, READ_AHEAD, Shape
from console_core.engine.types import Done, Embedded, Job, forget_frames
from console_core.errors import ImageError

GRACE = 1.0
"""Seconds for which a pipeline that is closed waits for its readers: a server that does not answer holds up nobody.
What they still receive is dropped."""


@dataclass(slots=True)
class _Picture:
    """A job on its way: how many candidates were tried, why they failed, the bytes of the last, and the memory that is
    kept for these."""

    job: Job
    read_at: datetime
    data: bytes = b""
    reserved: int = 0
    tried: int = 0
    failures: list[ImageError] = field(default_factory=list)


_Tag = tuple[int, str, datetime, str]
"""Of a picture in a slab: its job's number, the digest of its bytes, when they began to be read, who decoded it."""


class ThreadPipeline:
    """See `engine.types.Pipeline`. Threads start with the first job."""

    def __init__(
        self,
        images: ImageStore,
        embedders: Sequence[Embedder],
        mode: Mode = Mode.FAST,
        shape: Shape | None = None,
        *,
        pictures: int = 0,
    ) -> None:
        """`pictures` says how many are to come, where that is known: models prepare for them as far as it pays."""
        for embedder in embedders:
            embedder.expect(pictures)
        self._images, self._embedders, self._mode = images, tuple(embedders), mode
        self._shape = shape or Shape.of(embedders, readers=images.readers)
        self._meter = Meter(
            {
                Stage.READ: self.shape.readers,
                Stage.DECODE: self.shape.decoders,
                Stage.DEVICE: self.shape.passes,
            }
        )
        self._to_read: queue.SimpleQueue[Job | _Picture | None] = queue.SimpleQueue()
        self._to_decode: queue.SimpleQueue[_Picture | None] = queue.SimpleQueue()
        self._help = Help(self.shape.readers - 1)
        self._done: queue.SimpleQueue[list[Done]] = queue.SimpleQueue()
        self._reading, self._decoding = Budget(READ_AHEAD), Budget(DECODING)
        self._ring: Ring[_Tag] | None = None
        self._threads: list[threading.Thread] = []
        self._reading_threads: list[threading.Thread] = []
        self._closed = threading.Event()

    @property
    def shape(self) -> Shape:
        return self._shape

    @property
    def process(self) -> None:
        return None

    @property
    def capacity(self) -> int:
        return self.shape.capacity

    def submit(self, jobs: Sequence[Job]) -> None:
        if not jobs or self._closed.is_set():
            return
        self._start().expect(len(jobs))
        for job in jobs:
            self._to_read.put(job)

    def take(self) -> list[Done]:
        if self._closed.is_set():
            return []
        done = self._done.get()
        with contextlib.suppress(queue.Empty):
            while True:
                done += self._done.get_nowait()
        return done

    def readings(self) -> Readings:
        notes = tuple(note for embedder in self._embedders for note in embedder.notes)
        return self._meter.readings(notes)

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._reading.close()
        self._decoding.close()
        self._help.close()
        if self._ring is not None:
            self._ring.close()
        for _ in range(self.shape.readers):
            self._to_read.put(None)
        for _ in range(self.shape.decoders):
            self._to_decode.put(None)
        self._done.put([])
        for thread in self._threads:
            thread.join()
        until = time.monotonic() + GRACE
        for thread in self._reading_threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._ring = None  # whoever still wants the readings keeps no slabs

    def _start(self) -> Ring[_Tag]:
        if self._ring is None:
            batch = self.shape.batch
            self._ring = Ring(self.shape.slabs, lambda: tuple(one.slab(batch) for one in self._embedders))
            for work, number, threads in (
                (self._read, 1, self._reading_threads),
                (self._help_reading, self.shape.readers - 1, self._reading_threads),
                (self._decode, self.shape.decoders, self._threads),
                (self._embed, self.shape.passes, self._threads),
            ):
                for _ in range(number):
                    thread = threading.Thread(target=self._serve, args=(work, self._ring), name="engine", daemon=True)
                    threads.append(thread)
                    thread.start()
        return self._ring

    def _serve(self, work: Callable[[Ring[_Tag]], None], ring: Ring[_Tag]) -> None:
        with background(self.shape.batch):
            work(ring)

    def _read(self, ring: Ring[_Tag]) -> None:
        while self._read_next(ring):
            pass

    def _help_reading(self, ring: Ring[_Tag]) -> None:
        """Read as well, for as long as decoders wait for pictures."""
        while self._help.awaited() and self._read_next(ring):
            pass

    def _read_next(self, ring: Ring[_Tag]) -> bool:
        upcoming = self._to_read.get()
        if upcoming is None or self._closed.is_set():
            return False
        picture = upcoming if isinstance(upcoming, _Picture) else _Picture(upcoming, now())
        self._attempt(ring, picture, self._fetch)
        return True

    def _decode(self, ring: Ring[_Tag]) -> None:
        while (picture := self._next_to_decode()) is not None and not self._closed.is_set():
            self._attempt(ring, picture, self._prepare)

    def _next_to_decode(self) -> _Picture | None:
        """Readers that wait for answers are called before there is nothing to decode: an answer takes its time."""
        if self._to_decode.qsize() <= max(0, self.shape.readers - READERS):
            self._help.call()
        return self._to_decode.get()

    def _attempt(self, ring: Ring[_Tag], picture: _Picture, work: Callable[[Ring[_Tag], _Picture], None]) -> None:
        """What is raised on the way is the job's outcome."""
        try:
            work(ring, picture)
        except BaseException as error:
            if isinstance(error, ImageError):
                error.read_at = picture.read_at
                forget_frames(error)
            ring.drop()
            self._done.put([Done(picture.job.number, error)])

    def _fetch(self, _ring: Ring[_Tag], picture: _Picture) -> None:
        """Read the next candidate that can be read, and hand it on."""
        row = picture.job.row
        for path in row.candidates[picture.tried :]:
            picture.tried += 1
            try:
                with self._meter.busy(Stage.READ):
                    picture.data = self._images.read(path, partial(self._keep_memory, picture))
            except BaseException as error:
                self._let_go(picture)
                if not isinstance(error, ImageError):
                    raise
                picture.failures.append(error)
            else:
                self._to_decode.put(picture)
                return
        raise most_telling(row, picture.failures)

    def _keep_memory(self, picture: _Picture, size: int) -> None:
        with self._meter.waiting(Stage.READ):
            picture.reserved = self._reading.take(size)

    def _let_go(self, picture: _Picture) -> None:
        """Of its bytes, and of the memory that was kept for them."""
        picture.data, reserved, picture.reserved = b"", picture.reserved, 0
        self._reading.give_back(reserved)

    def _prepare(self, ring: Ring[_Tag], picture: _Picture) -> None:
        """Decode a picture and put it into a slab; where it is none, let its next candidate be read.

        Not here: the memory for what is read may be held by pictures that only decoders can take.
        """
        pixels = None
        try:
            pixels, decoder = self._pixels(picture.data, picture.job.row.candidates[picture.tried - 1])
            content = content_digest(picture.data)
        except ImageError as error:
            picture.failures.append(error)
        finally:
            self._let_go(picture)  # and not only once there is a free row
        if pixels is None:
            self._to_read.put(picture)
        else:
            ring.place((picture.job.number, content, picture.read_at, decoder), pixels)

    def _pixels(self, data: bytes, path: str) -> tuple[list[Pixels], str]:
        header = read_header(data, path, quick=self._mode is not Mode.EXACT)
        sizes = [one.preprocessing for one in self._embedders]
        with self._decoding.room(header.weight), self._meter.busy(Stage.DECODE):
            pixels = prepared(header, sizes, self._mode)
        self._meter.decoded_by(header.decoder)
        return pixels, header.decoder

    def _embed(self, ring: Ring[_Tag]) -> None:
        while (slab := ring.take()) is not None:
            try:
                done = self._answered(slab)
            except BaseException as error:
                done = [Done(number, error) for number, *_ in slab.tags]
            ring.give_back(slab)
            self._done.put(done)

    def _answered(self, slab: Slab[_Tag]) -> list[Done]:
        with self._meter.busy(Stage.DEVICE, slab.filled):
            of_models = [
                answers(embedder, array[: slab.filled])
                for embedder, array in zip(self._embedders, slab.arrays, strict=True)
            ]
        return [
            Done(number, Embedded(tuple(answer[row] for answer in of_models), content, read_at, decoder))
            for row, (number, content, read_at, decoder) in enumerate(slab.tags)
        ]
