"""Measuring as a run what a collection's index and quantization lose."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any, ClassVar, Self

import numpy as np

from console_core.catalog.types import ImageRow
from console_core.coverage.operation import STARTED_OVER, at_least, closed
from console_core.embedding.turns import background
from console_core.errors import ConsoleError, ModelError, Refused
from console_core.querylab.calibration import Drawing, Sample, read
from console_core.querylab.comparison import Models
from console_core.querylab.encoder_captions import FIELDS, caption_field, caption_of
from console_core.querylab.losses import K, Losing
from console_core.querylab.losses_report import KIND, LossReport
from console_core.querylab.probes import Kind, Probe, Probes, pictures_of, probes_of
from console_core.querylab.rankings import Query
from console_core.querylab.samples import Samples
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.provenance import application_payload, picture_key
from console_core.vectorstore.types import CollectionInfo, VectorStore

QUERIES = 100
"""The most queries of each kind. A mean loss of 0.03 is then known to about 0.01, for some hundred exact searches."""
_AT_ONCE = 8
"""Queries between two checkpoints; each is four searches, one of them exact."""
_SPARE = 4
"""So many times as many pictures are looked at for captions, because several may have the same one."""
_PAGES = 16
"""Pages of points between two steps, while a sample is drawn."""


@dataclass(frozen=True, slots=True)
class LossesPlan:
    """What is measured: `collection`, asked with the texts and pictures of a version of a query set, or with captions
    where `query_set` is "". Where the set has no pictures, those of the collection's sample are asked."""

    collection: str
    query_set: str = ""
    version: int = 0
    k: int = K
    queries: int = QUERIES

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class _Asked:
    probes: Mapping[Kind, Sequence[Probe]]
    texts_from: str
    without_texts: str
    left_out: int


class MeasureLosses:
    """Ask a collection each query in every way (`losses.Losing`). `done` counts queries. Nothing is written to the
    store; a sample that had to be drawn first is kept.

    A resumed run goes on with the next query: each is measured against its own exact answer. Where the collection, its
    index or the queries are others by then, it starts over. The last step's result is the `LossReport` as JSON.
    """

    kind: ClassVar[str] = KIND
    lane: ClassVar[Lane] = Lane.ACCELERATOR

    def __init__(
        self,
        plan: LossesPlan,
        *,
        store: VectorStore,
        models: Models,
        samples: Samples,
        queries: Callable[[], Sequence[Query]],
        rows: Callable[[Sequence[str]], Sequence[ImageRow]],
        uncounted: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`queries` gives those of the plan's query set, and is not asked where the plan names none. `rows` are the
        catalog's of some keys. Within `uncounted` searches are not taken for people's."""
        self._plan = plan
        self._store, self._models, self._samples = store, models, samples
        self._queries, self._rows, self._uncounted = queries, rows, uncounted

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            Refused: the collection has nothing that it could be asked with.
            StoreError
        """
        info = self._store.describe(self._plan.collection)
        sample = yield from self._sample(info, checkpoint, counts)
        with background():
            asked = self._asked(info, sample)
        total = sum(map(len, asked.probes.values()))
        if not total:
            raise Refused(
                f"{info.name} has no picture with a usable vector, and no text that it could be asked with.",
                "Fill or repair the collection, or name a query set.",
            )
        same = _identity(info, asked.probes, self._plan.k)
        known = json.loads(checkpoint) if checkpoint else {}
        goes_on = known.get("same") == same
        note = STARTED_OVER if counts.done and not goes_on else ""
        losing = Losing(
            self._store,
            info.name,
            asked.probes,
            k=self._plan.k,
            uncounted=self._uncounted,
            before=known["numbers"] if goes_on else None,
        )
        counts = replace(counts, selected=max(counts.selected, total))
        yield Progress(checkpoint if goes_on else "", counts, note=note)
        for number, _ in losing.steps():
            if number % _AT_ONCE == 0:
                counts = at_least(counts, number)
                yield Progress(json.dumps({"same": same, "numbers": losing.numbers()}), counts)
        checkpoint = json.dumps({"same": same, "numbers": losing.numbers()})
        report = self._report(info, asked, losing)
        yield Progress(checkpoint, closed(at_least(counts, total)), result=report.as_json())

    def _sample(self, info: CollectionInfo, checkpoint: str, counts: Counts) -> Generator[Progress, None, Sample]:
        """The collection's sample; drawn first where it must be, with a step now and then."""
        sample = self._samples.of(info)
        if sample is not None:
            return sample
        drawing = Drawing(self._store, info)
        for page, (looked_at, of) in enumerate(drawing.steps(), start=1):
            if page % _PAGES == 0:
                yield Progress(checkpoint, counts, note=f"Drawing a sample: {looked_at:,} of {of:,} points looked at.")
        drawn = drawing.drawn()
        with suppress(OSError):  # a full disk costs the next one the drawing
            self._samples.keep(info.name, drawn)
        return read(self._store, info, drawn)

    def _asked(self, info: CollectionInfo, sample: Sample) -> _Asked:
        wanted, source = self._wanted(info, sample)
        probes, why = self._probes(info, wanted)
        by_kind = {kind: tuple(some) for kind, some in probes.by_kind.items()}
        if "picture" not in by_kind:
            by_kind["picture"] = tuple(pictures_of(sample, self._plan.queries))
        if not why and not any(query.text for query in wanted):
            why = source if not self._plan.query_set else "the query set has none."
        order: tuple[Kind, ...] = ("text", "picture", "text and picture")
        ordered = {kind: by_kind[kind] for kind in order if by_kind.get(kind)}
        return _Asked(ordered, "" if why else source, why, len(probes.left_out))

    def _wanted(self, info: CollectionInfo, sample: Sample) -> tuple[Sequence[Query], str]:
        """The queries, and where their texts come from; or no query, and why."""
        plan = self._plan
        if plan.query_set:
            return self._some(self._queries()), f"query set {plan.query_set} v{plan.version}"
        points = self._store.retrieve(info.name, sample.ids[: _SPARE * plan.queries])
        told = {picture_key(point.id, point.payload): dict(application_payload(point.payload)) for point in points}
        with suppress(ConsoleError):  # what the points say is enough
            for row in self._rows(list(told)):
                told[row.key] |= row.payload
        field = caption_field(list(told.values()))
        if not field:
            return (), f"no query set was named, and the pictures have no captions ({', '.join(FIELDS)})."
        captions = dict.fromkeys(filter(None, (caption_of(payload, field) for payload in told.values())))
        return [Query(text, text) for text in list(captions)[: plan.queries]], f"captions of the pictures ({field})"

    def _some(self, queries: Sequence[Query]) -> list[Query]:
        """As many queries of each kind as are asked, the same of the same set."""
        found: list[Query] = []
        order = np.random.default_rng(0).permutation(len(queries))
        taken: dict[tuple[bool, bool], int] = {}
        for place in order:
            kind = bool(queries[place].text), bool(queries[place].like)
            taken[kind] = taken.get(kind, 0) + 1
            if taken[kind] <= self._plan.queries:
                found.append(queries[place])
        return found

    def _probes(self, info: CollectionInfo, wanted: Sequence[Query]) -> tuple[Probes, str]:
        """What the queries ask with, and why no text is among them where the model gives none."""
        try:
            return probes_of(self._store, self._models, info, wanted), ""
        except ModelError as error:
            pictures = [query for query in wanted if not query.text]
            return probes_of(self._store, self._models, info, pictures), f"{error.message} {error.remedy}".strip()

    def _report(self, info: CollectionInfo, asked: _Asked, losing: Losing) -> LossReport:
        return LossReport(
            collection=info.name,
            points=info.points,
            fingerprint=info.stamp.fingerprint if info.stamp else "",
            k=self._plan.k,
            texts_from=asked.texts_from,
            without_texts=asked.without_texts,
            left_out=asked.left_out,
            exact=self._store.info().indexed_up_to == 0,
            index=info.index,
            quantization=info.quantization,
            losses=losing.losses(),
        )


def _identity(info: CollectionInfo, probes: Mapping[Kind, Sequence[Probe]], k: int) -> str:
    """What must not change between two attempts, so that their numbers are of one thing."""
    fingerprint = info.stamp.fingerprint if info.stamp else ""
    queries = {kind: [probe.query for probe in some] for kind, some in probes.items()}
    said = [info.points, fingerprint, dict(info.index), dict(info.quantization), info.index_deferred, queries, k]
    return blake2b(json.dumps(said, sort_keys=True, default=str).encode(), digest_size=12).hexdigest()
