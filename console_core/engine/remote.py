"""A pipeline in the engine process. Where that dies, another one goes on with the same jobs."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from console_core.catalog.types import ImageStore
from console_core.database import now
from console_core.embedding.preprocessing import Mode
from console_core.engine.messages import Finished, Open, Submit, Version
from console_core.engine.meter import Readings
from console_core.engine.process import EngineProcess, Inbox
from console_core.engine.shape import Shape
from console_core.engine.types import Done, Job
from console_core.errors import EngineStopped, ImageUnreadable

DEATHS = 4
"""How often the process may die without a picture being done in between: twice with many, and with two alone."""


class RemotePipeline:
    """See `engine.types.Pipeline`.

    When the process dies, its jobs are submitted to a new one. When that dies too before any is done, they are
    submitted one by one, so that a picture that kills its decoder costs only itself. Where a new one finds a model's
    weights or settings changed, `take` raises FingerprintMismatch.
    """

    def __init__(
        self, engine: EngineProcess, images: ImageStore, models: Sequence[Version], mode: Mode, *, pictures: int = 0
    ) -> None:
        self._engine, self._images, self._models, self._mode = engine, images, tuple(models), mode
        self._pictures = pictures
        self._inbox: Inbox = Inbox()
        self._guard = threading.RLock()
        self._closed = threading.Event()
        self._jobs: dict[int, Job] = {}
        self._suspects: deque[int] | None = None
        self._alone: int | None = None
        self._deaths = 0
        self._notes: tuple[str, ...] = ()
        self._readings = self._before = Readings(time.monotonic())
        self._open()

    @property
    def shape(self) -> Shape:
        return self._shape

    @property
    def process(self) -> int | None:
        return self._life.process.pid

    @property
    def capacity(self) -> int:
        return self.shape.capacity

    def submit(self, jobs: Sequence[Job]) -> None:
        with self._guard:
            self._jobs.update((job.number, job) for job in jobs)
            if jobs and self._suspects is None:
                self._life.post(Submit(self._number, jobs))

    def take(self) -> list[Done]:
        while not self._closed.is_set():
            with self._guard:
                self._try_next_suspect()
            message = self._inbox.get()
            with self._guard:
                if self._closed.is_set():
                    break
                if isinstance(message, Finished):
                    self._readings = message.readings
                    done = [one for one in message.done if self._jobs.pop(one.number, None) is not None]
                    if done:
                        self._deaths, self._alone = 0, None
                        return done
                elif (culprit := self._died(message)) is not None:
                    return [culprit]
        return []

    def readings(self) -> Readings:
        found = self._readings.after(self._before)
        return replace(found, notes=(*self._notes, *found.notes))

    def close(self) -> None:
        with self._guard:
            self._closed.set()
            self._life.forget(self._number)
        self._inbox.put(Finished(self._number, (), self._readings))  # for whoever waits for one

    def _open(self) -> None:
        self._life, self._number, shape = self._engine.open(
            lambda number: Open(number, self._images, self._models, self._mode, self._pictures), self._inbox
        )
        self._shape: Shape = shape

    def _try_next_suspect(self) -> None:
        """One of those that were in work when the process died twice; the others wait until all of these are done."""
        if self._suspects is None or self._alone is not None:
            return
        if self._suspects:
            self._alone = self._suspects.popleft()
            self._life.post(Submit(self._number, [self._jobs[self._alone]]))
        else:
            self._suspects = None
            self._life.post(Submit(self._number, list(self._jobs.values())))

    def _died(self, ended: EngineStopped) -> Done | None:
        """Go on in a new process; the outcome of the picture that was alone in the old one."""
        self._deaths += 1
        self._notes = (*self._notes, f"{ended.message} Its pictures were taken up again.")
        self._before = self._readings.after(self._before)
        self._readings = Readings(self._before.at)  # the next process counts from zero
        if self._deaths > DEATHS:
            raise ended
        culprit, self._alone = self._alone, None
        self._open()
        if culprit is not None:
            return Done(culprit, self._blamed(self._jobs.pop(culprit), ended))
        if self._deaths > 1:
            self._suspects = deque(self._jobs)
        else:
            self._life.post(Submit(self._number, list(self._jobs.values())))
        return None

    def _blamed(self, job: Job, ended: EngineStopped) -> ImageUnreadable:
        path = job.row.candidates[0] if job.row.candidates else ""
        failure = ImageUnreadable(
            f"{path or job.row.key} cannot be embedded: each time, {ended.message[0].lower()}{ended.message[1:]}",
            "Look at this file with another program, and store it again from its source.",
            path=path,
        )
        failure.read_at = now()
        return failure
