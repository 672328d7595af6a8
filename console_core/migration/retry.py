"""Try failed pictures of a collection again: the one or few that a person named, a class of them, or all."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.embedding.types import Embedder
from console_core.errors import FingerprintMismatch
from console_core.migration.filling import Filling
from console_core.migration.plan import USUAL_BATCH
from console_core.migration.reembed import refuse_another_model
from console_core.migration.settling import added, settle
from console_core.migration.verify import LEFT_THE_CATALOG
from console_core.runs.failed_pictures import FailedPictures, in_order
from console_core.runs.types import Counts, Progress
from console_core.vectorstore.types import VectorStore

PAGE = 1000
MOST_KEYS = 5_000
"""Pictures that one retry may name; a class or all of them are looked up as it goes, and may be any number."""
FAILED_NO_MORE = "failed no more"


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """Which failed pictures of `collection` are tried again, with the model that made it.

    Those of `keys`, quarantined ones too; without keys those of the class `kind`, and without one all of them.
    """

    collection: str
    model: str
    fingerprint: str
    kind: str = ""
    keys: tuple[str, ...] = ()
    batch_size: int = USUAL_BATCH

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RetryPlan":
        """The plan as stored; the reverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "version"}
        return cls(**{**fields, "keys": tuple(fields["keys"])})


class Retry:
    """Embed failed pictures into the collection that lacks them, in the order of their keys.

    The ledger says which they are, a page at a time, so that memory is bounded whatever their number. What succeeds
    stands there no more; what fails again has one try more.
    """

    def __init__(
        self,
        plan: RetryPlan,
        run: str,
        *,
        catalog: ImageCatalog,
        images: ImageStore,
        store: VectorStore,
        embedder: Callable[[], Embedder],
        failed: FailedPictures,
        batch_size: Callable[[], int] | None = None,
    ) -> None:
        self._plan = plan
        self._run = run
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._failed = failed
        self._batch_size = batch_size or (lambda: plan.batch_size)

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model, or the collection, is not the one that the retry was asked for.
            CollectionNotFound: the collection was deleted meanwhile.
            FailsThroughout: picture after picture failed.
        """
        plan, embedder = self._plan, self._embedder()
        refuse_another_model(embedder, plan.model, plan.fingerprint)
        self._refuse_another_collection()
        filling = Filling(
            self._store,
            self._images,
            embedder,
            plan.collection,
            self._run,
            failed_among=self._failed.among,
        )
        for keys in self._pages(checkpoint):
            rows: Sequence[ImageRow] = self._catalog.get(keys)
            there = {row.key for row in rows}
            if gone := tuple(key for key in keys if key not in there):
                counts = _skipped(counts, LEFT_THE_CATALOG, len(gone))
                yield Progress(checkpoint, counts, cleared=gone)
            named = bool(plan.keys)
            for filled in filling.batches(
                rows, self._batch_size, fills=True, heed_quarantine=not named, known_count=True
            ):
                counts, checkpoint = settle(counts, filled), filled.last
                yield Progress(checkpoint, counts, filled.failures, cleared=filled.cleared, pace=filled.pace)
        if counts.pending > 0:
            yield Progress(checkpoint, _skipped(counts, FAILED_NO_MORE, counts.pending))

    def _pages(self, checkpoint: str) -> Iterator[list[str]]:
        """Keys behind the checkpoint whose failure stands."""
        plan, after = self._plan, checkpoint
        wanted = [key for key in in_order(plan.keys) if (len(key), key) > (len(after), after)]
        while plan.keys:
            page, wanted = wanted[:PAGE], wanted[PAGE:]
            if not page:
                return
            standing = self._failed.among(plan.collection, page)
            yield [key for key in page if key in standing]
        while page := [one.key for one in self._failed.page(plan.collection, kind=plan.kind, after=after, limit=PAGE)]:
            yield page
            after = page[-1]

    def _refuse_another_collection(self) -> None:
        stamp = self._store.describe(self._plan.collection).stamp
        if stamp is None or stamp.fingerprint != self._plan.fingerprint:
            raise FingerprintMismatch(
                f"{self._plan.collection} is not the collection any more whose pictures were to be tried again: "
                f"another model made it.",
                "Cancel this run.",
            )


def _skipped(counts: Counts, reason: str, number: int) -> Counts:
    skipped = replace(counts, skipped=added(counts.skipped, reason, number))
    return replace(skipped, selected=max(skipped.selected, skipped.settled))
