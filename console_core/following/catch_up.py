"""Bring a followed collection in step with the catalog, in rounds, until a round finds nothing more to do."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from console_core.catalog.types import ImageRow
from console_core.embedding.types import Embedder
from console_core.errors import FingerprintMismatch, Refused
from console_core.following.comparing import PAGE, Comparison
from console_core.migration.filling import Filling
from console_core.migration.settling import settle
from console_core.runs.types import Counts, Progress, Run, RunState
from console_core.vectorstore.provenance import application_payload, picture_key, point_id
from console_core.vectorstore.signature import Signature, Signing
from console_core.vectorstore.types import Point, PointId

BATCH = 64
MASS = 0.2
"""Share of a collection's points above which deleting them needs a person."""
FEW = 20
"""So many points may always be deleted."""
SETTLED_MEANWHILE = "settled meanwhile"
_ASKS = "too many to delete their points without a person's word"


@dataclass(slots=True)
class _Books:
    """What a run has done so far, and the signature of the collection as far as the console's own writes tell it."""

    counts: Counts
    began: Signature | None
    signing: Signing | None
    changes: dict[str, int] = field(default_factory=lambda: {"added": 0, "edited": 0, "deleted": 0})
    rounds: int = 0
    lost: int = 0

    def checkpoint(self, writing: Sequence[PointId] = ()) -> str:
        """How far it is; `writing` are points that are about to change, which `now` leaves out."""
        now = self.signing.signature().as_json() if self.signing else None
        began = self.began.as_json() if self.began else None
        told = {"rounds": self.rounds, "lost": self.lost, "began": began, "now": now, "writing": list(writing)}
        return json.dumps(told)

    def result(self) -> dict[str, Any]:
        chained = {}
        if self.signing and self.began:
            chained = {"signature_before": self.began.as_json(), "signature": self.signing.signature().as_json()}
        return {**self.changes, "rounds": self.rounds, "lost": self.lost, **chained}

    def settle_deleted(self, number: int) -> None:
        counts = replace(self.counts, done=self.counts.done + number)
        self.counts = replace(counts, selected=max(counts.selected, counts.settled))


def awaits_word(run: Run) -> bool:
    """Whether a run stopped because a person must say that so many pictures were really deleted."""
    return run.kind == "catch_up" and run.state is RunState.FAILED and _ASKS in run.reason


class CatchUp:
    """Embed what was added or edited, and delete the points of what was deleted. A picture is never brought back: what
    left the catalog while it was being embedded is deleted in the next round.

    `expected` is what the collection holds as far as its last verification and the console's own writes since tell;
    the run carries it on, so that its own writes do not make the verdict stale, and those of others do. `then` runs
    once nothing is behind, and must do no harm when it runs twice. `mass_deletion`: a person has said that as many
    points as it may be shall be deleted.
    """

    def __init__(
        self,
        comparison: Comparison,
        run: str,
        *,
        embedder: Callable[[], Embedder],
        expected: Signature | None = None,
        then: Callable[[], object] | None = None,
        mass_deletion: bool = False,
        batch_size: int = BATCH,
    ) -> None:
        self._with = comparison
        self._follow = comparison.follow
        self._run = run
        self._embedder = embedder
        self._expected = expected
        self._then = then
        self._mass_deletion = mass_deletion
        self._batch_size = batch_size

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that the collection is followed with.
            Refused: so many pictures left the catalog that a person must say whether that is right.
        """
        if not self._follow.stocked:
            yield from self._take_stock(checkpoint, counts)
            checkpoint = ""
        books = self._books(checkpoint, counts)
        yield Progress(books.checkpoint(), books.counts, result=books.result())
        filling: Filling | None = None
        while True:
            before = dict(books.changes)
            for rows in self._behind():
                filling = filling or self._filling()
                yield from self._fill(rows, filling, books)
            yield from self._delete(books)
            books.rounds += 1
            if books.changes == before:
                break
            yield Progress(books.checkpoint(), books.counts, result=books.result())
        if self._then is not None:
            self._then()
        skipped = dict(books.counts.skipped)
        if books.counts.pending > 0:
            skipped[SETTLED_MEANWHILE] = skipped.get(SETTLED_MEANWHILE, 0) + books.counts.pending
        yield Progress(books.checkpoint(), replace(books.counts, skipped=skipped), result=books.result())

    def _books(self, checkpoint: str, counts: Counts) -> _Books:
        """Where it was stopped in the middle of a batch, what became of that batch is read from the store."""
        told: Mapping[str, Any] = json.loads(checkpoint) if checkpoint.startswith("{") else {}
        if not told:
            start = self._expected
            return _Books(counts, start, Signing(start) if start else None)
        began, now = ((Signature.from_json(told[name]) if told[name] else None) for name in ("began", "now"))
        signing = Signing(now) if now else None
        books = _Books(counts, began, signing, rounds=int(told["rounds"]), lost=int(told["lost"]))
        if books.signing and told["writing"]:
            books.signing.add(self._with.store.retrieve(self._follow.collection, told["writing"], vectors=True))
        return books

    def _take_stock(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """Note what is odd in the collection now, so that it is left as it is."""
        compare, follow = self._with, self._follow
        phase, _, key = checkpoint.partition(":")
        if phase in ("", "rows"):
            rows = compare.catalog.rows(follow.part, after=key or None)
            while page := list(islice(rows, PAGE)):
                compare.follows.accept(follow.id, compare.oddities(page))
                yield Progress(f"rows:{page[-1].key}", counts, note="Takes stock of what it finds.")
        after: PointId | None = None
        while True:
            points, after = compare.store.page(follow.collection, after=after, limit=PAGE)
            compare.follows.accept(follow.id, compare.orphans(points))
            yield Progress("points", counts, note="Takes stock of what it finds.")
            if after is None:
                break
        compare.follows.took_stock(follow.id)

    def _filling(self) -> Filling:
        compare, follow, embedder = self._with, self._follow, self._embedder()
        if embedder.fingerprint.digest != follow.fingerprint:
            raise FingerprintMismatch(
                f"{follow.collection} is kept in step with {follow.model} {follow.fingerprint}, but that model now "
                f"has {embedder.fingerprint.digest}: its weights or settings changed since.",
                "Put the old weights back and resume.",
            )
        return Filling(
            compare.store,
            compare.images,
            embedder,
            follow.collection,
            self._run,
            failed_among=compare.failed_among,
        )

    def _behind(self) -> Iterator[dict[str, tuple[ImageRow, str]]]:
        """Rows that are behind, with why, in batches; memory is bounded by a page."""
        rows = self._with.catalog.rows(self._follow.part)
        while page := list(islice(rows, PAGE)):
            why = self._with.behind(page)
            found = {row.key: (row, str(why[row.key])) for row in page if row.key in why}
            remaining = iter(found.items())
            while batch := dict(islice(remaining, self._batch_size)):
                yield batch

    def _fill(self, rows: Mapping[str, tuple[ImageRow, str]], filling: Filling, books: _Books) -> Iterator[Progress]:
        store, collection = self._with.store, self._follow.collection
        ids = [point_id(key) for key in rows]
        replaced = store.retrieve(collection, ids, vectors=True)
        kept = {picture_key(point.id, point.payload): application_payload(point.payload) for point in replaced}
        if books.signing:
            books.signing.remove(replaced)
            yield Progress(books.checkpoint(ids), books.counts)
        for filled in filling.batches(
            [row for row, _ in rows.values()], lambda: self._batch_size, fills=False, kept=kept
        ):
            for key in filled.keys:
                books.changes[rows[key][1]] += 1
            books.counts = settle(books.counts, filled)
            books.lost += self._lost([failure.key for failure in filled.failures])
            yield Progress(books.checkpoint(ids), books.counts, filled.failures, cleared=filled.cleared)
        for key, (row, _) in rows.items():
            self._with.tried[key] = row.revision
        if books.signing:
            books.signing.add(store.retrieve(collection, ids, vectors=True))
        yield Progress(books.checkpoint(), books.counts, result=books.result())

    def _lost(self, failed: Sequence[str]) -> int:
        """How many of the pictures that failed are found today, by what the alias serves."""
        serving = self._with.store.aliases().get(self._follow.alias, "") if failed else ""
        if serving in ("", self._follow.collection):
            return 0
        return len(self._with.store.retrieve(serving, [point_id(key) for key in failed]))

    def _delete(self, books: _Books) -> Iterator[Progress]:
        """Delete points whose pictures left, after counting them: an empty catalog must not empty the collection."""
        store, collection = self._with.store, self._follow.collection
        number = sum(len(left) for left in self._left())
        if not number:
            return
        held = store.count(collection)
        if number > max(FEW, MASS * held) and not self._mass_deletion:
            raise Refused(
                f"{number:,} of {held:,} pictures of {collection} are not in the catalog any more: {_ASKS}.",
                "Make sure that the catalog is the right one and complete, then resume. If they were really deleted, "
                f"catch {collection} up with mass deletion allowed.",
            )
        for left in self._left():
            found = store.retrieve(collection, [point.id for point in left], vectors=True)
            ids = [point.id for point in found]
            if books.signing:
                books.signing.remove(found)
                yield Progress(books.checkpoint(ids), books.counts)
            store.delete(collection, ids)
            keys = tuple(picture_key(point.id, point.payload) for point in found)
            for key in keys:
                self._with.tried.pop(key, None)
            books.changes["deleted"] += len(ids)
            books.settle_deleted(len(ids))
            yield Progress(books.checkpoint(), books.counts, result=books.result(), cleared=keys)

    def _left(self) -> Iterator[list[Point]]:
        after: PointId | None = None
        while True:
            points, after = self._with.store.page(self._follow.collection, after=after, limit=PAGE)
            if left := self._with.left(points):
                yield left
            if after is None:
                return
