"""Find every difference between a catalog and a collection that was built from it, and look again before telling it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from console_core.catalog.sampling import KeySample
from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.embedding.types import Embedder
from console_core.migration.difference import Difference
from console_core.migration.differences import Differences, Recorded
from console_core.migration.filling import FailedAmong, Filling
from console_core.migration.looking import Derived, Looking
from console_core.migration.place import Phase, Place
from console_core.migration.verdict import EXAMPLES, verdict
from console_core.migration.verify_plan import VerifyPlan as VerifyPlan
from console_core.runs.types import Counts, Progress
from console_core.vectorstore.provenance import picture_key, point_id
from console_core.vectorstore.signature import Signing
from console_core.vectorstore.types import VectorStore

PAGE = 256
BATCH = 64
"""Pictures that are embedded again between two checkpoints."""
LEFT_THE_CATALOG = "left the catalog"
SETTLE = 1.0
"""Seconds between two looks at what differs: a picture and its point are written one after the other."""
LOOKS = 5
"""So often what differs is looked at, where it is another difference each time."""
FEW = 1000
"""Of so many differences each is looked at once more: where there are more, one that vanishes changes no verdict."""


class Verify:
    """The content diff: walk the catalog beside the collection, then the collection beside the catalog.

    A random sample of the pictures, or all, are embedded again. A picture whose embedding failed is expected to be
    absent, unless the collection that is served now has it. What differs is recorded as it is found, and looked at
    again before the verdict. Nothing is written to the store. The last step's result has the verdict ("green" or
    "red"), the checks, the differences by kind, and the signature of exactly the points that were looked at: whatever
    was written meanwhile makes it another one than the collection's. A resumed verification goes on where it was.
    """

    def __init__(
        self,
        plan: VerifyPlan,
        run: str,
        *,
        catalog: ImageCatalog,
        images: ImageStore,
        store: VectorStore,
        embedder: Callable[[], Embedder],
        failed_among: FailedAmong,
        records: Differences,
        pause: Callable[[float], object] = time.sleep,
        page_size: int = PAGE,
    ) -> None:
        self._plan = plan
        self._run = run
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._failed_among = failed_among
        self._records = records
        self._pause = pause
        self._page = page_size

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that made the collection, so it cannot judge it.
        """
        plan, embedder = self._plan, self._embedder()
        plan.refuse_changed(embedder)
        filling = Filling(
            self._store, self._images, embedder, plan.collection, self._run, failed_among=self._failed_among
        )
        looking = Looking(plan, self._catalog, self._store, filling, self._failed_among)
        place = self._records.place(self._run) if checkpoint else None
        place = place or self._records.begin(self._run, plan.collection)
        counts = replace(counts, selected=max(counts.selected, self._catalog.count(plan.part)))
        walks: Mapping[Phase, Callable[[Looking, Place], Iterator[str]]] = {
            Phase.CATALOG: self._walk_catalog,
            Phase.SAMPLE: self._embed_sample,
            Phase.POINTS: self._walk_points,
            Phase.LOSSES: self._look_for_losses,
            Phase.AGAIN: self._look_again,
            Phase.LAST: self._look_a_last_time,
        }
        phases = list(Phase)
        for phase in phases[phases.index(place.phase) :]:
            if place.phase is not phase:
                place.begin(phase)
            for note in walks[phase](looking, place):
                done = max(counts.done, place.checked)
                counts = replace(counts, done=done, selected=max(counts.selected, done))
                yield Progress(f"{phase} {'' if place.after is None else place.after}".strip(), counts, note=note)
        gone = {LEFT_THE_CATALOG: counts.pending} if counts.pending else {}
        result = verdict(plan, place, self._store.describe(plan.collection), self._records, self._run)
        self._records.finished(self._run, plan.collection)
        yield Progress("end", replace(counts, skipped=gone), result=result)

    def _walk_catalog(self, looking: Looking, place: Place) -> Iterator[str]:
        rows = self._catalog.rows(self._plan.part, after=None if place.after is None else str(place.after))
        seen, sample = Signing(place.seen), KeySample(self._run, self._plan.sample, place.drawn)
        while page := list(islice(rows, min(self._page, BATCH) if self._plan.full else self._page)):
            looked = looking.rows(page)
            seen.add(looked.points)
            found = [*looked.differences]
            if self._plan.full:
                found += _counted(looking.pictures(looked.sound), place)
            else:
                sample.offer(row.key for row, _ in looked.sound)
                place.drawn = sample.as_json()
            place.seen, place.after = seen.signature(), page[-1].key
            place.checked += len(page)
            place.found += looked.expected
            place.excused += looked.excused
            place.sound += len(looked.sound)
            self._records.add(self._run, place, found)
            yield ""

    def _embed_sample(self, looking: Looking, place: Place) -> Iterator[str]:
        """Pictures are drawn uniformly and without replacement from those in which nothing else was wrong."""
        keys = [] if self._plan.full else KeySample(self._run, self._plan.sample, place.drawn).keys()
        while (start := int(place.after or 0)) < len(keys):
            found = _counted(looking.sampled(keys[start : start + BATCH]), place)
            place.after = min(start + BATCH, len(keys))
            self._records.add(self._run, place, found)
            yield f"Embedding a sample again: {place.after:,} of {len(keys):,} pictures."

    def _walk_points(self, looking: Looking, place: Place) -> Iterator[str]:
        """Points that no row accounts for. Such points were not looked at yet, unless at the id of another picture."""
        seen, held = Signing(place.seen), Signing(place.held)
        while True:
            page, following = self._store.page(self._plan.collection, after=place.after, limit=self._page, vectors=True)
            held.add(page)
            strays = looking.points(page)
            known = self._records.points_among(self._run, {one.point for one in strays}) if strays else set()
            found = [one for one in strays if one.point not in known]
            unseen = {one.point for one in found}
            seen.add(point for point in page if point.id in unseen)
            place.seen, place.held = seen.signature(), held.signature()
            place.after = page[-1].id if page else place.after
            self._records.add(self._run, place, found)
            yield f"Looking for points too many: {place.held.points:,} points so far."
            if following is None:
                return

    def _look_for_losses(self, looking: Looking, place: Place) -> Iterator[str]:
        """Pictures that are found today and would not be found: a point of the served collection whose picture is in
        the catalog, without a point here, whatever the reason."""
        while self._plan.replaces:
            served, following = self._store.page(self._plan.replaces, after=place.after, limit=self._page)
            keys = [picture_key(point.id, point.payload) for point in served]
            ids = [point_id(key) for key in keys]
            here = {point.id for point in self._store.retrieve(self._plan.collection, ids)}
            absent = [key for key, identifier in zip(keys, ids, strict=True) if identifier not in here]
            lost = [row.key for row in self._catalog.get(absent)]
            place.lost += len(lost)
            place.served += len(served)
            place.strange += len(absent) - len(lost)
            place.lost_examples = [*place.lost_examples, *lost][:EXAMPLES]
            place.after = served[-1].id if served else place.after
            self._records.add(self._run, place)
            yield f"Comparing with {self._plan.replaces}, which is found today."
            if following is None:
                return

    def _look_again(self, looking: Looking, place: Place) -> Iterator[str]:
        if self._records.page(self._run, limit=1):
            self._pause(SETTLE)
        while suspects := self._records.page(self._run, after=int(place.after or 0), limit=BATCH):
            settled = self._settled(looking, suspects)
            place.after = suspects[-1].number
            self._records.settle(self._run, place, settled)
            yield f"Looking again at what differs: {place.after:,} of {place.numbered:,}."

    def _look_a_last_time(self, looking: Looking, place: Place) -> Iterator[str]:
        """A picture that was added at one look and deleted at the next was the same half-done to both."""
        if sum(self._records.counts(self._run).values()) <= FEW:
            yield from self._look_again(looking, place)

    def _settled(self, looking: Looking, suspects: Sequence[Recorded]) -> dict[int, Difference | None]:
        """What differs is a difference once two looks a while apart saw the same row and the same point."""
        settled: dict[int, Difference | None] = {}
        before = {one.number: one.difference for one in suspects}
        for look in range(LOOKS):
            if look:
                self._pause(SETTLE)
            now = dict(zip(before, looking.again(list(before.values())), strict=True))
            moving = {number: one for number, one in now.items() if one is not None and one.seen != before[number].seen}
            settled |= now
            if not moving:
                break
            before = moving
        return settled


def _counted(derived: Sequence[Derived], place: Place) -> list[Difference]:
    """The differences of pictures that were embedded again; how many those were is counted."""
    for one in derived:
        if one.cosine is not None:
            place.derived += 1
            place.lowest = min(place.lowest, one.cosine)
        elif one.difference is None:
            place.unreadable += 1
    return [one.difference for one in derived if one.difference is not None]
