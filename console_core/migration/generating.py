"""What a generation would do, counted without doing it; and the run that does it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from console_core.catalog.embedding_column import EmbeddingColumn, Held
from console_core.catalog.types import ImageCatalog, Slice
from console_core.coverage.column import mismatch, mismatch_by_itself, vectors_of
from console_core.embedding.types import Embedder
from console_core.errors import CollectionNotFound, Refused
from console_core.migration.current import PAGE, current_keys
from console_core.migration.filling import FailedAmong
from console_core.migration.generate import GeneratePlan
from console_core.migration.plan import USUAL_BATCH
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Run
from console_core.vectorstore.types import CollectionInfo, VectorStore


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run would do, counted and not done.

    Of `selected` rows, `embed` pictures would be embedded and written to the store, and `quarantined` ones passed over.
    `column` counts the rows of the column that would be written, by why, as far as the row itself or the store tells.
    `undecided` are further rows whose vector looks right, but whose point is to be made first: only then they can be
    compared. What turns out to be broken is not written anywhere.
    """

    collection: str
    model: str
    selected: int
    embed: int
    quarantined: int
    column: Mapping[str, int]
    undecided: int

    @property
    def column_rows(self) -> int:
        return sum(self.column.values())

    @property
    def nothing_to_do(self) -> bool:
        return not (self.embed or self.column_rows)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "column_rows": self.column_rows, "dry_run": True}


def plan_generation(
    store: VectorStore,
    ledger: Ledger,
    embedder: Callable[[str], Embedder],
    *,
    into: str = "",
    model: str = "",
    part: Slice,
    batch_size: int = 0,
) -> GeneratePlan:
    """The plan of a generation into a collection: `into`, or the one that the only alias serves.

    `model` makes a collection that is not there yet; `embedder` loads it. `batch_size` 0: as the collection was built.

    Raises:
        Refused: no collection is meant, nothing says which model made it, it is another model's, or it cannot be
            written by the console.
        CollectionNotFound: it is not there, and no model is named that would make it.
    """
    name = into or _served(store)
    try:
        info = store.describe(name)
    except CollectionNotFound as error:
        if not model:
            raise CollectionNotFound(error.message, f"{error.remedy} Or name the model that shall make it.") from error
        made = embedder(model)
        card, digest = made.card, made.fingerprint.digest
        return GeneratePlan(name, card.key, digest, card.dimension, part, batch_size or USUAL_BATCH, makes=True)
    _refuse(info, model)
    assert info.stamp is not None
    builds = ledger.runs(kinds=("reembed", "generate"), target=info.name, limit=1)
    usual = int(builds[0].spec.get("batch_size", USUAL_BATCH)) if builds else USUAL_BATCH
    return GeneratePlan(info.name, info.stamp.model, info.stamp.fingerprint, info.dimension, part, batch_size or usual)


def submit_generation(ledger: Ledger, catalog: ImageCatalog, plan: GeneratePlan, actor: str) -> Run:
    """Queue the run of a plan.

    Raises:
        Refused: the slice is empty, or another run writes to the collection.
    """
    return ledger.submit(
        kind="generate",
        lane=Lane.ACCELERATOR,
        title=f"Generate into {plan.collection}",
        target=plan.collection,
        spec=plan.as_json(),
        actor=actor,
        selected=refuse_empty(catalog, plan.part),
        writes=True,
    )


def refuse_empty(catalog: ImageCatalog, part: Slice) -> int:
    """The number of pictures in a slice.

    Raises:
        Refused: there are none, though something was chosen.
    """
    selected = catalog.count(part)
    if not selected and part.filters:
        told = " and ".join(f"{facet} is {' or '.join(values)}" for facet, values in part.filters.items())
        raise Refused(f"The catalog has no picture whose {told}.", "Look at its facets on the Coverage page.")
    return selected


def forecast(
    catalog: ImageCatalog, store: VectorStore, column: EmbeddingColumn, failed_among: FailedAmong, plan: GeneratePlan
) -> Forecast:
    """Count what the run of a plan would do; memory is bounded by one page, and nothing is written or embedded.

    Raises:
        CatalogError, StoreError
        Refused: the slice is empty.
    """
    selected = refuse_empty(catalog, plan.part)
    there = plan.collection in {info.name for info in store.collections()}
    found = Forecast(plan.collection, plan.model, selected, 0, 0, {}, 0)
    reasons: Counter[str] = Counter()
    rows = catalog.rows(plan.part)
    while page := list(islice(rows, PAGE)):
        keys = [row.key for row in page]
        current = current_keys(store, plan.collection, plan.fingerprint, page) if there else set()
        standing = failed_among(plan.collection, keys)
        held = {key: Held(key) for key in keys} | column.at(keys)
        vectors = vectors_of(store, plan.collection, current) if current else {}
        compared = [mismatch(held[key], vector, plan.model) for key, vector in vectors.items()]
        reasons.update(str(wrong) for wrong in compared if wrong is not None)
        quarantined = [key for key in keys if key not in current and key in standing and standing[key].quarantined_by]
        lacking = [key for key in keys if key not in current and key not in set(quarantined)]
        told = [mismatch_by_itself(held[key], plan.model, plan.dimension) for key in lacking]
        reasons.update(str(wrong) for wrong in told if wrong is not None)
        found = replace(
            found,
            embed=found.embed + len(lacking),
            quarantined=found.quarantined + len(quarantined),
            undecided=found.undecided + told.count(None),
        )
    return replace(found, column=dict(reasons))


def _served(store: VectorStore) -> str:
    aliases = store.aliases()
    if len(aliases) == 1:
        return next(iter(aliases.values()))
    there = ", ".join(sorted(aliases)) or "none"
    raise Refused(f"It is not said which collection is meant; the aliases are: {there}.", "Name it (--into).")


def _refuse(info: CollectionInfo, model: str) -> None:
    if info.stamp is None:
        raise Refused(f"{info.name} does not say which model made it.", "Stamp it on the Collections page first.")
    if info.problem:
        raise Refused(f"{info.name} cannot be filled: {info.problem}", "Name another collection (--into).")
    if model and model != info.stamp.model:
        raise Refused(
            f"{info.name} was made by {info.stamp.model}, not by {model}.",
            "Leave the model out, or name a collection that is not there yet (--into).",
        )
