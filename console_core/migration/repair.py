"""Mend what a verification found: embed pictures again, and delete points that no picture accounts for."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.embedding.types import Embedder
from console_core.engine.types import Embedded
from console_core.errors import ImageError, NotFound
from console_core.migration.comparing import belongs, compare
from console_core.migration.difference import DifferenceKind
from console_core.migration.differences import Differences, Recorded
from console_core.migration.filling import FailedAmong, Filling
from console_core.migration.looking import Looking
from console_core.migration.verify import BATCH, LEFT_THE_CATALOG
from console_core.migration.verify_plan import VerifyPlan
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import Point, PointId, VectorStore

ALREADY_RIGHT = "already right"
KEPT = "kept: deleting was not asked for"
ONLY_ONE = "kept: the only point of its picture"
EMBED, DELETE = "embed", "delete"


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """Mend the differences that the run `verification` found by the plan `check`; points are deleted only where
    `delete_extra` says so."""

    verification: str
    check: VerifyPlan
    delete_extra: bool = False

    def as_json(self) -> dict[str, Any]:
        plan = {"verification": self.verification, "check": self.check.as_json(), "delete_extra": self.delete_extra}
        return {"version": 1, **plan, "model": self.check.model}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The plan as stored; the reverse of `as_json`."""
        return cls(data["verification"], VerifyPlan.from_json(data["check"]), data["delete_extra"])


class Repair:
    """Work off the differences of a verification: first those that embedding mends, then the points too many.

    Every difference is looked at again before anything is written for it, and every point before it is deleted: what
    became right meanwhile is passed over. At the end the collection is verified again: `then` sees to that, and may be
    called more than once.
    """

    def __init__(
        self,
        plan: RepairPlan,
        run: str,
        *,
        catalog: ImageCatalog,
        images: ImageStore,
        store: VectorStore,
        embedder: Callable[[], Embedder],
        failed_among: FailedAmong,
        records: Differences,
        then: Callable[[], object],
    ) -> None:
        self._plan = plan
        self._check = plan.check
        self._run = run
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._failed_among = failed_among
        self._records = records
        self._then = then

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that made the collection.
            NotFound: a newer verification has replaced the differences.
        """
        check, embedder = self._check, self._embedder()
        check.refuse_changed(embedder)
        if counts.pending and self._records.place(self._plan.verification) is None:
            raise NotFound(
                f"The differences of verification {self._plan.verification} were replaced by a newer verification.",
                f"Cancel this run and repair what the newest verification of {check.collection} found.",
            )
        filling = Filling(
            self._store, self._images, embedder, check.collection, self._run, failed_among=self._failed_among
        )
        looking = Looking(check, self._catalog, self._store, filling, self._failed_among)
        what, _, number = checkpoint.partition(" ")
        for act in (EMBED, DELETE) if what != DELETE else (DELETE,):
            after = int(number or 0) if act == what else 0
            while batch := self._batch(after, surplus=act == DELETE):
                keys, skipped, failures = self._embed(batch, filling) if act == EMBED else self._delete(batch, looking)
                counts = _settled(counts, len(keys), skipped, failures)
                after = batch[-1].number
                yield Progress(f"{act} {after}", counts, failures, cleared=keys, pace=filling.pace())
        self._then()

    def _batch(self, after: int, *, surplus: bool) -> list[Recorded]:
        return self._records.page(self._plan.verification, surplus=surplus, after=after, limit=BATCH)

    def _embed(
        self, batch: Sequence[Recorded], filling: Filling
    ) -> tuple[tuple[str, ...], Mapping[str, int], tuple[Failure, ...]]:
        kinds = {one.difference.key: one.difference.kind for one in batch}
        rows = {row.key: row for row in self._catalog.get(list(kinds)) if belongs(row, self._check.part)}
        points = self._points(rows.values())
        reasons = {key: self._needless(kind, rows.get(key), points.get(key)) for key, kind in kinds.items()}
        skipped = Counter(reason for reason in reasons.values() if reason)
        wanted = [rows[key] for key, reason in reasons.items() if not reason]
        pictures = []
        for row, picture in filling.fetched(wanted):
            if kinds[row.key] is DifferenceKind.STALE and self._is_current(row, points.get(row.key), picture):
                skipped[ALREADY_RIGHT] += 1
            else:
                pictures.append((row, picture))
        filled = filling.fill(pictures)
        return filled.keys, skipped, filled.failures

    def _points(self, rows: Iterable[ImageRow]) -> dict[str, Point]:
        """The points at the rows' ids, by key."""
        keys = {point_id(row.key): row.key for row in rows}
        found = self._store.retrieve(self._check.collection, list(keys), vectors=True)
        return {keys[point.id]: point for point in found}

    def _needless(self, kind: DifferenceKind, row: ImageRow | None, point: Point | None) -> str:
        """Why nothing is to be done for a difference that embedding mends; "" where there is, or the picture tells."""
        if row is None:
            return LEFT_THE_CATALOG
        now = compare(row, point, self._check)
        if now is None and kind not in (DifferenceKind.STALE, DifferenceKind.WRONG_VECTOR):
            return ALREADY_RIGHT
        taken = now is not None and now.kind is DifferenceKind.DUPLICATE
        return KEPT if taken and not self._plan.delete_extra else ""

    def _is_current(self, row: ImageRow, point: Point | None, picture: Embedded | ImageError) -> bool:
        """Whether a point that was stale is of this very row and this very picture."""
        origin = provenance(point.payload) if point is not None else None
        if origin is None or isinstance(picture, ImageError) or compare(row, point, self._check) is not None:
            return False
        return origin.content == picture.content

    def _delete(
        self, batch: Sequence[Recorded], looking: Looking
    ) -> tuple[tuple[str, ...], Mapping[str, int], tuple[Failure, ...]]:
        if not self._plan.delete_extra:
            return (), {KEPT: len(batch)}, ()
        skipped: Counter[str] = Counter()
        now = looking.again([recorded.difference for recorded in batch])
        own = [point_id(one.key) for one in now if one is not None and one.kind is DifferenceKind.DUPLICATE]
        there = {point.id for point in self._store.retrieve(self._check.collection, own)} if own else set()
        surplus: list[PointId] = []
        keys: list[str] = []
        for one in now:
            if one is None:
                skipped[ALREADY_RIGHT] += 1
            elif one.kind is DifferenceKind.DUPLICATE and point_id(one.key) not in there:
                skipped[ONLY_ONE] += 1
            else:
                surplus.append(one.point)
                keys.append(one.key)
        if surplus:
            self._store.delete(self._check.collection, surplus)
        return tuple(keys), skipped, ()


def verify_again(ledger: Ledger, catalog: ImageCatalog, repair: Run, check: VerifyPlan) -> Run:
    """Queue the verification that a repair worked off once more, unless one of the collection is queued already.

    It waits for the repair in its lane. Called again after the repair was interrupted, it changes nothing, or queues
    another one where the first was begun before the repair had ended, and so says nothing about it.
    """
    waiting = ledger.runs(kinds=("verify",), target=check.collection, states=(RunState.QUEUED,), limit=1)
    if waiting:
        return waiting[0]
    run = ledger.submit(
        kind="verify",
        lane=Lane.ACCELERATOR,
        title=f"Verify {check.collection}",
        target=check.collection,
        spec=check.as_json(),
        actor=repair.created_by,
        migration=repair.migration,
        selected=catalog.count(check.part),
        writes=False,
    )
    ledger.note(repair.created_by, "verify", check.collection, f"run {run.id} is queued, after the repair {repair.id}")
    return run


def _settled(counts: Counts, done: int, skipped: Mapping[str, int], failures: Sequence[Failure]) -> Counts:
    failed = Counter(counts.failed) + Counter(failure.kind for failure in failures)
    return replace(
        counts, done=counts.done + done, skipped=dict(Counter(counts.skipped) + Counter(skipped)), failed=dict(failed)
    )
