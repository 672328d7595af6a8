"""Check a built collection against the catalog and the model: counts, ids, dimension, norms, a re-embedded sample."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any

import numpy as np

from console_core.catalog.loading import load
from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore, Slice
from console_core.embedding.types import Embedder
from console_core.errors import FingerprintMismatch, ImageError, ModelOutputInvalid
from console_core.runs.types import Counts, Failure, Progress
from console_core.vectorstore.provenance import picture_key, point_id, provenance
from console_core.vectorstore.types import Point, PointId, Vector, VectorStore

PAGE = 256
LEFT_THE_CATALOG = "left the catalog"
SAMPLE = 64
SAME = 0.999
"""Cosine from which a re-embedded picture counts as the same: above bf16 rounding, below any other picture."""
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class VerifyPlan:
    """What is checked: `collection` against the catalog's `part`, for the model `model` with `fingerprint`.

    `replaces` is the collection that is served now and that this one would replace; "" where there is none.
    """

    collection: str
    model: str
    fingerprint: str
    dimension: int
    part: Slice
    replaces: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "VerifyPlan":
        """The plan as stored; the reverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "version"}
        return cls(**{**fields, "part": Slice.from_json(fields["part"])})


@dataclass(slots=True)
class _Tally:
    """What the walk over the catalog found; `examples` has up to EXAMPLES catalog keys for each finding."""

    found: int = 0
    missing: int = 0
    excused: int = 0
    lost: int = 0
    foreign: int = 0
    lengths: int = 0
    norms: int = 0
    examples: dict[str, list[str]] = field(default_factory=dict)
    sample: list[tuple[ImageRow, Vector]] = field(default_factory=list)

    def note(self, finding: str, key: str) -> None:
        keys = self.examples.setdefault(finding, [])
        if len(keys) < EXAMPLES:
            keys.append(key)


class Verify:
    """Walk the catalog beside the collection, then embed a random sample of its pictures again.

    A picture whose re-embedding failed is expected to be absent, unless the collection that is served now has it.
    Nothing is written. The last step's result has a
    verdict ("green" or "red") and the checks. A resumed verification starts over, because it must see one state; its
    counts stand still until it is past its old place.
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
        failed_among: Callable[[str, Sequence[str]], Mapping[str, Failure]],
    ) -> None:
        self._plan = plan
        self._random = random.Random(run)
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._failed_among = failed_among

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that made the collection, so it cannot judge it.
        """
        embedder = self._embedder()
        if embedder.fingerprint.digest != self._plan.fingerprint:
            raise FingerprintMismatch(
                f"{self._plan.collection} was made by {self._plan.model} {self._plan.fingerprint}, but that "
                f"model now has {embedder.fingerprint.digest}: its weights or settings changed since.",
                "Put the old weights back and resume, or migrate to the model as it is now.",
            )
        counts = replace(counts, selected=max(counts.selected, self._catalog.count(self._plan.part)))
        tally = _Tally()
        checked = 0
        rows = self._catalog.rows(self._plan.part)
        while page := list(islice(rows, PAGE)):
            self._walk(page, tally)
            checked += len(page)
            done = max(counts.done, checked)
            counts = replace(counts, done=done, selected=max(counts.selected, done))
            yield Progress(page[-1].key, counts)
        for _ in self._look_for_losses(tally):
            yield Progress("losses", counts)
        gone = {LEFT_THE_CATALOG: counts.pending} if counts.pending else {}
        yield Progress("end", replace(counts, skipped=gone), result=self._result(embedder, tally, checked))

    def _result(self, embedder: Embedder, tally: _Tally, checked: int) -> dict[str, Any]:
        plan = self._plan
        info = self._store.describe(plan.collection)
        made = f"{info.stamp.model} {info.stamp.fingerprint}" if info.stamp else "no model recorded"
        absent = f"{tally.excused:,} known failures, {tally.missing:,} missing"
        checks = [
            _check("model", info.stamp is not None and info.stamp.fingerprint == plan.fingerprint, made),
            _check("count", info.points == tally.found, f"{info.points:,} points, {tally.found:,} of them expected"),
            _check("ids", not tally.missing, f"{tally.found:,} of {checked:,} pictures found, {absent}"),
            _check(
                "dimension",
                info.dimension == plan.dimension and not tally.lengths,
                f"{info.dimension}, the model's is {plan.dimension}",
            ),
            _check("fingerprints", not tally.foreign, f"{tally.foreign:,} points from another model"),
            _check("norms", not tally.norms, f"{tally.norms:,} vectors that are not finite and of length 1"),
            self._sample_check(embedder, tally),
        ]
        if plan.replaces:
            checks.append(
                _check("losses", not tally.lost, f"{tally.lost:,} pictures that {plan.replaces} finds are lost")
            )
        verdict = "green" if all(check["ok"] for check in checks) else "red"
        return {
            "verdict": verdict,
            "checks": checks,
            "points": info.points,
            "collection": plan.collection,
            "fingerprint": plan.fingerprint,
            "replaces": plan.replaces,
            "losses": tally.lost,
            "examples": tally.examples,
        }

    def _look_for_losses(self, tally: _Tally) -> Iterator[None]:
        """Pictures that are found today and would not be found: a point of the served collection whose picture is in
        the catalog, without a point here, whatever the reason."""
        after: PointId | None = None
        while self._plan.replaces:
            served, after = self._store.page(self._plan.replaces, after=after, limit=PAGE)
            keys = [picture_key(point.id, point.payload) for point in served]
            ids = [point_id(key) for key in keys]
            here = {point.id for point in self._store.retrieve(self._plan.collection, ids)}
            absent = [key for key, identifier in zip(keys, ids, strict=True) if identifier not in here]
            for row in self._catalog.get(absent):
                tally.lost += 1
                tally.note("losses", row.key)
            yield
            if after is None:
                return

    def _walk(self, rows: Sequence[ImageRow], tally: _Tally) -> None:
        ids = [point_id(row.key) for row in rows]
        points = {point.id: point for point in self._store.retrieve(self._plan.collection, ids, vectors=True)}
        absent = [row.key for row, identifier in zip(rows, ids, strict=True) if identifier not in points]
        known = self._failed_among(self._plan.collection, absent)
        for key in absent:
            if key in known:
                tally.excused += 1
            else:
                tally.missing += 1
                tally.note("missing", key)
        for row, identifier in zip(rows, ids, strict=True):
            if (point := points.get(identifier)) is not None:
                tally.found += 1
                self._inspect(row, point, tally)

    def _inspect(self, row: ImageRow, point: Point, tally: _Tally) -> None:
        made = provenance(point.payload)
        if made is None or made.fingerprint != self._plan.fingerprint:
            tally.foreign += 1
            tally.note("foreign", row.key)
        vector = point.vector
        if vector is None or vector.shape != (self._plan.dimension,):
            tally.lengths += 1
            tally.note("dimension", row.key)
            return
        norm = float(np.linalg.norm(vector))
        if not np.isfinite(vector).all() or abs(norm - 1) > 1e-3:
            tally.norms += 1
            tally.note("norm", row.key)
        if len(tally.sample) < SAMPLE:
            tally.sample.append((row, vector))
        elif (place := self._random.randrange(tally.found)) < SAMPLE:
            tally.sample[place] = (row, vector)

    def _sample_check(self, embedder: Embedder, tally: _Tally) -> dict[str, Any]:
        """Cosine between stored and newly made vectors of a uniform sample (Vitter's reservoir, algorithm R)."""
        worst, tried = 1.0, 0
        for row, stored in tally.sample:
            try:
                made = embedder.embed_images([embedder.prepare(load(row, self._images).image)])[0]
            except (ImageError, ModelOutputInvalid):
                tally.note("sample", row.key)
                continue
            tried += 1
            cosine = float(made @ stored)
            worst = min(worst, cosine)
            if cosine < SAME:
                tally.note("sample", row.key)
        ok = bool(tried) and not tally.examples.get("sample")
        return _check("sample", ok, f"{tried} pictures embedded again, lowest cosine {worst:.5f}")


def _check(name: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"name": name, "ok": bool(ok), "detail": detail}
