"""Bring a followed collection in step with the catalog, in rounds, until a round finds nothing more to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from console_core.catalog.types import ImageRow
from console_core.embedding.types import Embedder
from console_core.errors import FingerprintMismatch, Refused
from console_core.following.books import Books, Writing
from console_core.following.comparing import PAGE, Change, Comparison, Left
from console_core.following.stock import take_stock
from console_core.migration.filling import Filling
from console_core.migration.settling import settle
from console_core.runs.types import Counts, Progress, Run, RunState
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.signature import Signature

BATCH = 64
MASS = 0.2
"""Share of a collection's points above which deleting them needs a person."""
FEW = 20
"""So many points may always be deleted."""
SETTLED_MEANWHILE = "settled meanwhile"
_ASKS = "too many to delete their points without a person's word"


def awaits_word(run: Run) -> bool:
    """Whether a run stopped because a person must say that so many pictures were really deleted."""
    return run.kind == "catch_up" and run.state is RunState.FAILED and _ASKS in run.reason


class CatchUp:
    """Embed what was added or edited, and delete the points of what was deleted. A picture is never brought back: what
    left the catalog while it was being embedded is deleted in the next round.

    `expected` is what the collection holds as far as its last verification and the console's own writes since tell;
    the run carries it on, so that its own writes do not make the verdict stale, and those of others do. `then` runs
    once nothing is behind, and must do no harm when it runs twice. `mass_deletion`: a person has said that as many
    points as it may be shall be deleted; otherwise MASS of the collection is the most within an hour, `deleted_lately`
    by other runs included. `batch_size` is asked before each batch.
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
        deleted_lately: int = 0,
        batch_size: Callable[[], int] = lambda: BATCH,
    ) -> None:
        self._with = comparison
        self._follow = comparison.follow
        self._run = run
        self._embedder = embedder
        self._expected = expected
        self._then = then
        self._mass_deletion = mass_deletion
        self._deleted_lately = deleted_lately
        self._batch_size = batch_size

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that the collection is followed with.
            Refused: so many pictures left the catalog that a person must say whether that is right.
        """
        yield from self._take_stock(checkpoint, counts)
        books, writing = Books.opened(checkpoint, counts, self._expected)
        cleared = self._settle_interrupted(books, writing)
        yield Progress(books.checkpoint(), books.counts, result=books.result(), cleared=cleared)
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
            yield from self._take_stock(books.checkpoint(), books.counts)  # of what is left behind by this move
        skipped = dict(books.counts.skipped)
        if books.counts.pending > 0:
            skipped[SETTLED_MEANWHILE] = skipped.get(SETTLED_MEANWHILE, 0) + books.counts.pending
        yield Progress(books.checkpoint(), replace(books.counts, skipped=skipped), result=books.result())

    def _settle_interrupted(self, books: Books, writing: Sequence[Writing]) -> tuple[str, ...]:
        """Where it was stopped in the middle of a batch, what became of that batch is read from the store.

        Returns the keys of what was changed; the rest is behind still, and will be found so.
        """
        store, collection = self._with.store, self._follow.collection
        there = store.retrieve(collection, list(dict.fromkeys(one.id for one in writing)), vectors=True)
        if books.signing:
            books.signing.add(there)
        held = {point.id for point in there}
        embedded = [one.key for one in writing if one.change != "deleted" and one.id in held]
        rows = list(self._with.catalog.get(embedded))
        current = {row.key for row in rows} - self._with.behind(rows).keys()
        made = [one for one in writing if (one.key in current if one.change != "deleted" else one.id not in held)]
        books.settle(made)
        return tuple(one.key for one in made)

    def _take_stock(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """Note what is odd now in this collection, and in others of its alias, before anything is changed: what this
        run deletes is what tells them that a picture was still there when they began to be followed."""
        follows = self._with.follows
        mine = follows.get(self._follow.id)
        unstocked = [follow for follow in follows.active() if not follow.stocked and follow.alias == mine.alias]
        if not mine.stocked and mine.id not in {follow.id for follow in unstocked}:
            unstocked.append(mine)
        for follow in unstocked:
            compare = replace(self._with, follow=follow, tried={})
            for _ in take_stock(compare):
                yield Progress(checkpoint, counts, note=f"Takes stock of {follow.collection}.")

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

    def _behind(self) -> Iterator[dict[str, tuple[ImageRow, Change]]]:
        """Rows that are behind, with why, in batches; memory is bounded by a page."""
        rows = self._with.catalog.rows(self._follow.part)
        while page := list(islice(rows, PAGE)):
            why = self._with.behind(page)
            found = {row.key: (row, why[row.key]) for row in page if row.key in why}
            remaining = iter(found.items())
            while batch := dict(islice(remaining, self._batch_size())):
                yield batch

    def _fill(self, rows: Mapping[str, tuple[ImageRow, Change]], filling: Filling, books: Books) -> Iterator[Progress]:
        store, collection = self._with.store, self._follow.collection
        writing = {key: Writing(point_id(key), key, change) for key, (_, change) in rows.items()}
        ids = [one.id for one in writing.values()]
        if books.signing:
            books.signing.remove(store.retrieve(collection, ids, vectors=True))
        yield Progress(books.checkpoint(list(writing.values())), books.counts)
        for filled in filling.batches([row for row, _ in rows.values()], self._batch_size, fills=False):
            tried = (*filled.keys, *(failure.key for failure in filled.failures), *filled.passed)
            done = [writing.pop(key) for key in tried]
            if books.signing:
                books.signing.add(store.retrieve(collection, [one.id for one in done], vectors=True))
            for key in filled.keys:
                books.changes[rows[key][1]] += 1
            books.counts = settle(books.counts, filled)
            books.lost += self._lost([failure.key for failure in filled.failures])
            checkpoint, result = books.checkpoint(list(writing.values())), None if writing else books.result()
            yield Progress(
                checkpoint, books.counts, filled.failures, result=result, cleared=filled.cleared, pace=filled.pace
            )
            self._with.tried.update((failure.key, rows[failure.key][0].revision) for failure in filled.failures)
            self._with.follows.forget(self._follow.id, filled.keys)

    def _lost(self, failed: Sequence[str]) -> int:
        """How many of the pictures that failed are found today, by what the alias serves."""
        serving = self._with.store.aliases().get(self._follow.alias, "") if failed else ""
        if serving in ("", self._follow.collection):
            return 0
        ids = [point_id(key) for key in failed]
        here = {point.id for point in self._with.store.retrieve(self._follow.collection, ids)}
        return len(self._with.store.retrieve(serving, [one for one in ids if one not in here]))

    def _delete(self, books: Books) -> Iterator[Progress]:
        """Delete points whose pictures left, after counting them: an empty catalog must not empty the collection."""
        store, collection = self._with.store, self._follow.collection
        if not (number := sum(len(left) for left in self._left())):
            return
        self._refuse_mass(number, books)
        for left in self._left():
            keys_of = {one.point.id: one.key for one in left}
            found = store.retrieve(collection, list(keys_of), vectors=True)
            self._refuse_mass(len(found), books)
            writing = [Writing(point.id, keys_of[point.id], "deleted") for point in found]
            if books.signing:
                books.signing.remove(found)
            yield Progress(books.checkpoint(writing), books.counts)
            store.delete(collection, [one.id for one in writing])
            keys = tuple(one.key for one in writing)
            self._with.follows.forget(self._follow.id, keys)
            for key in keys:
                self._with.tried.pop(key, None)
            books.settle(writing)
            yield Progress(books.checkpoint(), books.counts, result=books.result(), cleared=keys)

    def _refuse_mass(self, number: int, books: Books) -> None:
        """Refuse to delete so many points more, where with those deleted before they would be too many.

        Raises:
            Refused
        """
        gone = books.changes["deleted"] + self._deleted_lately
        held = self._with.store.count(self._follow.collection) + gone
        if self._mass_deletion or number + gone <= max(FEW, MASS * held):
            return
        lately = f", after {gone:,} deleted lately" if gone else ""
        raise Refused(
            f"{number:,} of {held:,} pictures of {self._follow.collection} are not in the catalog any more{lately}: "
            f"{_ASKS}.",
            "Make sure that the catalog is the right one and complete, then resume. If they were really deleted, "
            f"catch {self._follow.collection} up with mass deletion allowed.",
        )

    def _left(self) -> Iterator[list[Left]]:
        """What left, of each page that has any of it."""
        return filter(None, map(self._with.left, pages(self._with.store, self._follow.collection, size=PAGE)))
