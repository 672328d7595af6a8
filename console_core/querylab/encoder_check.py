"""Whether a collection's encoder is wired correctly: a run that looks before any comparison is trusted.

No number of a comparison tells a model that is worse from one that is fed wrongly. So points are embedded again and
compared, texts are held against the pictures that they describe, and the loaded model against what its files say.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from console_core.catalog.sampling import KeySample
from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.turns import background
from console_core.embedding.types import Embedder, Pixels, Vectors
from console_core.embedding.wiring import Inspectable, Otherwise
from console_core.engine.again import SAME, Again, embedded_again
from console_core.errors import ModelOutputInvalid
from console_core.querylab import encoder_captions, encoder_vectors
from console_core.querylab.encoder_captions import caption_field, caption_of
from console_core.querylab.encoder_findings import Measured, findings
from console_core.querylab.encoder_report import Alternative, Captions, EncoderReport, Lengths, Setting, stamp_text
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.signature import Signing
from console_core.vectorstore.types import REQUEST, CollectionInfo, Point, PointId, Vector, VectorStore

KIND = "encoder_check"
SAMPLE = 64
"""Pictures that are compared, where there are so many."""
ENOUGH = 50
"""Pictures that must have been compared, or all that the collection has."""
UNIT = 1e-3
"""How far from 1 the length of a stored vector may be."""
ROUNDED_UNIT = 2e-2
"""The same where vectors are stored quantized or in half precision."""
STARTED_OVER = "Starts over: its numbers must be of one moment."
LEFT_MEANWHILE = "left meanwhile"
_SPARE = 2
"""So many times the sample is drawn, because some pictures cannot be had."""


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """What is checked: `collection`, made by `model`. `captions` is the payload field that describes pictures: None for
    the usual ones, "" for no comparison of texts. The same `seed` draws the same points of the same collection."""

    collection: str
    model: str
    captions: str | None = None
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The reverse of `as_json`."""
        return cls(**data)


class EncoderCheck:
    """The check as a run. `done` counts points looked at. Nothing is written. A resumed check starts over, as its
    numbers must be of one moment. The last step's result is the report as JSON."""

    kind: ClassVar[str] = KIND
    lane: ClassVar[Lane] = Lane.ACCELERATOR

    def __init__(
        self,
        plan: EncoderPlan,
        *,
        catalog: ImageCatalog,
        images: ImageStore,
        store: VectorStore,
        embedder: Callable[[], Embedder],
        page_size: int = REQUEST,
    ) -> None:
        self._plan = plan
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._page = page_size

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            ModelError, StoreError, CatalogError
        """
        embedder = self._embedder()
        info = self._store.describe(self._plan.collection)
        counts = replace(counts, selected=max(counts.selected, info.points))
        yield Progress("", counts, note=STARTED_OVER if counts.done else "")
        walk = _Walk(self._plan.seed, encoder_vectors.threshold(info))
        for page in pages(self._store, info.name, size=self._page, vectors=True):
            walk.add(page)
            done = max(counts.done, walk.lengths.points)
            counts = replace(counts, done=done, selected=max(counts.selected, done))
            yield Progress(str(walk.lengths.points), counts, note="Looking at lengths, and drawing a sample.")
        yield Progress(str(walk.lengths.points), counts, note="Embedding a sample again.")
        with background():
            report = self._report(info, embedder, walk)
        gone = {LEFT_MEANWHILE: counts.pending} if counts.pending else {}
        yield Progress("end", replace(counts, skipped=gone), result=report.as_json())

    def _report(self, info: CollectionInfo, embedder: Embedder, walk: "_Walk") -> EncoderReport:
        plan, least = self._plan, walk.threshold
        points = self._store.retrieve(info.name, walk.drawn(), vectors=True)
        found = self._again(info, points, embedder)
        numbers, bad = encoder_vectors.compared(found, least)
        tried, structure = [], None
        if bad:
            sought = bad[: encoder_vectors.MOST_TRIED]
            there = encoder_vectors.elsewhere(self._store, info.name, found, sought, least)
            numbers = replace(numbers, sought=len(sought), elsewhere=there)
            if 2 * there <= len(sought):
                tried = encoder_vectors.ways(self._images, embedder, _mode_of(info), bad, least)
            structure = encoder_vectors.structure(bad, plan.seed)
        captions, other, why = self._captions(found, embedder)
        shown = isinstance(embedder, Inspectable)
        facts = embedder.wiring() if isinstance(embedder, Inspectable) else ()
        told = [origin.fingerprint for one in found if (origin := provenance(one.point.payload)) and origin.fingerprint]
        foreign = Counter(one for one in told if one != embedder.fingerprint.digest)
        measured = Measured(
            info,
            embedder,
            numbers,
            min(ENOUGH, walk.lengths.points),
            walk.lengths,
            tried,
            structure,
            captions,
            other,
            why,
            facts,
            shown,
            foreign.total(),
            len(told),
            foreign.most_common(1)[0][0] if foreign else "",
        )
        return EncoderReport(
            collection=info.name,
            model=embedder.card.key,
            fingerprint=embedder.fingerprint.digest,
            stamped=stamp_text(info),
            points=walk.lengths.points,
            seed=plan.seed,
            compared=numbers,
            lengths=walk.lengths,
            tried=tuple(tried),
            structure=structure,
            captions=captions,
            other_activation=other,
            settings=tuple(Setting(str(f.part), f.expected, f.found, f.source, f.fits) for f in facts),
            findings=findings(measured),
            signature=walk.signing.signature(),
        )

    def _again(self, info: CollectionInfo, points: Sequence[Point], embedder: Embedder) -> list[Again]:
        """As many of the points as there shall be compared, and those on the way that cannot be."""
        found: list[Again] = []
        if info.dimension != embedder.card.dimension:
            return found
        for one in embedded_again(points, self._catalog, self._images, embedder, mode=_mode_of(info)):
            found.append(one)
            if sum(other.cosine is not None and not other.changed for other in found) == SAMPLE:
                break
        return found

    def _captions(self, found: Sequence[Again], embedder: Embedder) -> tuple[Captions | None, Alternative | None, str]:
        """Texts beside pictures, as the model is and with the other activation, or why not. Of pictures with one
        caption only the first counts."""
        if self._plan.captions == "":
            return None, None, "it was asked to leave captions out."
        if not embedder.card.has_text:
            return None, None, f"not applicable, because {embedder.card.title} embeds pictures only."
        pictures = [(one, one.row.payload) for one in found if one.row is not None and one.vector is not None]
        field = self._plan.captions or caption_field([payload for _, payload in pictures])
        if not field:
            return None, None, f"the catalog has no captions (a field {', '.join(encoder_captions.FIELDS)})."
        first: dict[str, tuple[Vector, Pixels]] = {}
        for one, payload in pictures:
            told = caption_of(payload, field)
            if told and one.vector is not None and one.pixels is not None:
                first.setdefault(told, (one.vector, one.pixels))
        if not first:
            return None, None, f"no picture of the sample has a text in {field}."
        own = embedder.embed_texts(list(first)), np.stack([vector for vector, _ in first.values()])
        measured = encoder_captions.agreement(field, *own, self._plan.seed)
        other = _otherwise(embedder, list(first), np.stack([pixels for _, pixels in first.values()]), own)
        return measured, encoder_captions.alternative(own, other, self._plan.seed) if other else None, ""


class _Walk:
    """What one look at every point gives: a sample, the lengths, and the signature."""

    def __init__(self, seed: int, threshold: float) -> None:
        self.threshold = threshold
        self.signing = Signing()
        self.lengths = Lengths()
        self._sample = KeySample(str(seed), _SPARE * SAMPLE)
        self._unit = UNIT if threshold == SAME else ROUNDED_UNIT

    def add(self, points: Sequence[Point]) -> None:
        self.signing.add(points)
        self._sample.offer(str(point.id) for point in points)
        vectors = [point.vector for point in points if point.vector is not None]
        lengths = np.array([float(np.linalg.norm(vector)) for vector in vectors])
        sound = lengths[np.isfinite(lengths) & (lengths > 0)]
        before = self.lengths
        known = [*sound.tolist(), *((before.lowest, before.highest) if before.points > before.void else ())]
        self.lengths = Lengths(
            before.points + len(points),
            before.wrong + int(np.count_nonzero(np.abs(sound - 1) > self._unit)),
            before.void + len(lengths) - len(sound),
            min(known, default=1.0),
            max(known, default=1.0),
        )

    def drawn(self) -> list[PointId]:
        """The ids of the sample, in the order of the draw; a UUID is never all digits."""
        drawn = self._sample.keys()
        return [int(key) if key.isdecimal() else key for key in drawn]


def _mode_of(info: CollectionInfo) -> Mode:
    """How the collection's pictures were decoded; exactly, where that is not recorded."""
    return Mode(info.stamp.preprocess) if info.stamp and info.stamp.preprocess in set(Mode) else Mode.EXACT


def _otherwise(
    embedder: Embedder, texts: Sequence[str], pixels: NDArray[np.uint8], own: tuple[Vectors, Vectors]
) -> tuple[Vectors, Vectors] | None:
    """Vectors of texts and pictures with the other activation; None where the model has none that can be changed."""
    if not isinstance(embedder, Inspectable):
        return None
    way = Otherwise(activation=True)
    try:
        told, seen = embedder.embed_texts_otherwise(texts, way), embedder.embed_otherwise(pixels, way)
    except ModelOutputInvalid:  # it fits so badly that there is no vector
        return None
    if told is None and seen is None:
        return None
    return own[0] if told is None else told, own[1] if seen is None else seen
