"""Drawing the sample of a large collection as a run."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from console_core.coverage.operation import STARTED_OVER, at_least, closed
from console_core.querylab.calibration import Drawing
from console_core.querylab.samples import Samples
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.types import VectorStore

_PAGES = 16
"""Pages of points between two steps."""


class DrawSample:
    """Look at every point's id, and keep the collection's sample at the end.

    Nothing is written to the store. A resumed run starts over, and a stopped one leaves the former sample. The last
    step's result says how many points there were, and how many of them are the sample.
    """

    kind: ClassVar[str] = "sample"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(self, store: VectorStore, samples: Samples, collection: str) -> None:
        self._store, self._samples, self._collection = store, samples, collection

    def plan(self) -> Counts:
        """What there is to look at: every point."""
        return Counts(selected=self._store.count(self._collection))

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`."""
        info = self._store.describe(self._collection)
        counts = replace(counts, selected=max(counts.selected, info.points))
        yield Progress("", counts, note=STARTED_OVER if counts.done else "")
        drawing = Drawing(self._store, info)
        for page, (looked_at, _) in enumerate(drawing.steps(), start=1):
            if page % _PAGES == 0:
                counts = at_least(counts, looked_at)
                yield Progress(str(looked_at), counts)
        drawn = drawing.drawn()
        self._samples.keep(info.name, drawn)
        counts = closed(at_least(counts, drawn.points))
        yield Progress(str(drawn.points), counts, result={"points": drawn.points, "sampled": len(drawn.ids)})
