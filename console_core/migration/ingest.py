"""Put the pictures of a folder or an image list into a collection, under a namespace."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Self

from console_core.catalog.intake import Intake, path_in
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.names import told
from console_core.embedding.preprocessing import Mode
from console_core.errors import CollectionNotFound
from console_core.migration.current import PAGE
from console_core.migration.intakes import Intakes
from console_core.migration.plan import USUAL_BATCH, MigrationPlan, mode_in
from console_core.migration.reembed import Reembed
from console_core.runs.types import Counts, Progress
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import VectorStore

KIND = "ingest"
_NAMED = 20


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """Embed the pictures of `intake` with `model` into `collection`, which is made where `creates` says so.

    Only pictures are embedded that the collection does not have yet, or has of another revision of the file or its
    label; `again` embeds all of them. `fingerprint` is that of the model when the plan was made.
    """

    collection: str
    model: str
    fingerprint: str
    dimension: int
    intake: Intake
    mode: Mode = Mode.FAST
    batch_size: int = USUAL_BATCH
    again: bool = False
    creates: bool = False

    @property
    def title(self) -> str:
        return f"Ingest {self.intake.namespace} into {self.collection}"

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The plan as stored; the reverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "version"}
        return cls(**{**fields, "intake": Intake.from_json(fields["intake"]), "mode": mode_in(fields)})

    def as_build(self) -> MigrationPlan:
        """The same as a build of everything in a catalog that has just these pictures."""
        return MigrationPlan(
            alias="",
            source="" if self.creates else self.collection,
            model=self.model,
            fingerprint=self.fingerprint,
            target=self.collection,
            dimension=self.dimension,
            batch_size=self.batch_size,
            mode=self.mode,
            fills=not self.again,
        )


class Ingest:
    """A build that first records where its pictures come from, so that the collection has a catalog of its own.

    What is verified, measured, repaired, caught up and migrated later is compared with that catalog.
    """

    def __init__(self, plan: IngestPlan, store: VectorStore, intakes: Intakes, build: Callable[[], Reembed]) -> None:
        """`build` opens the build of `plan.as_build()` once the intake is recorded."""
        self._plan, self._store, self._intakes, self._build = plan, store, intakes, build

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`. Raises as `Reembed.steps`, and CatalogUnavailable, CatalogInvalid."""
        plan = self._plan
        if plan.creates and not counts.done and not _exists(self._store, plan.collection):
            self._intakes.forget(plan.collection)  # what stands there is of a collection of that name which is gone
        held = not plan.creates and self._store.count(plan.collection) > 0
        self._intakes.add(plan.collection, plan.intake, beside=held)
        yield from self._build().steps(checkpoint, counts)


@dataclass(frozen=True, slots=True)
class Survey:
    """What an ingestion would find: pictures that the collection lacks, has of another revision or model, and has, and
    those that lie `outside` the image roots, which would be refused one by one; the first of these are `named`."""

    selected: int
    new: int
    changed: int
    current: int
    outside: int = 0
    named: tuple[str, ...] = ()


def survey(plan: IngestPlan, catalog: IntakeCatalog, store: VectorStore) -> Survey:
    """Look at every picture's file and point, a page at a time; no picture is read and nothing is written.

    Raises:
        CatalogError, StoreError
    """
    exists = _exists(store, plan.collection)
    selected = new = current = 0
    outside: list[str] = []
    holds = catalog.places.holding()
    rows = catalog.rows()
    while page := list(islice(rows, PAGE)):
        ids = [point_id(row.key) for row in page]
        made = {p.id: provenance(p.payload) for p in (store.retrieve(plan.collection, ids) if exists else ())}
        for row, identifier in zip(page, ids, strict=True):
            if not holds(path_in(row.key)):
                outside.append(told(path_in(row.key)))
                continue
            origin = made.get(identifier)
            new += identifier not in made
            current += origin is not None and (origin.fingerprint, origin.revision) == (plan.fingerprint, row.revision)
        selected += len(page)
    changed = selected - new - current - len(outside)
    return Survey(selected, new, changed, current, len(outside), tuple(outside[:_NAMED]))


def _exists(store: VectorStore, collection: str) -> bool:
    try:
        store.describe(collection)
    except CollectionNotFound:
        return False
    return True
