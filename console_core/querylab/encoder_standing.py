"""The newest encoder check of a collection, and whether it still counts."""

from dataclasses import dataclass

from console_core.embedding.loaded import Models
from console_core.querylab.encoder_check import KIND
from console_core.querylab.encoder_report import EncoderReport, stale
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import VectorStore


@dataclass(frozen=True, slots=True)
class Standing:
    """A check's run and report, and why it does not count any more, in sentences; () where it does."""

    run: Run
    report: EncoderReport
    stale: tuple[str, ...]

    @property
    def trusted(self) -> bool:
        """Whether comparisons with the collection can be trusted now, as far as was looked."""
        return self.report.is_green and not self.stale


def standing(
    store: VectorStore, ledger: Ledger, models: Models, collection: str, *, thoroughly: bool = False
) -> Standing | None:
    """The newest check of a collection or alias that came to its end; None where there is none.

    Quickly: a changed stamp, a changed number of points, and another fingerprint of a model that is in memory are
    noticed. `thoroughly` loads the model and reads the whole collection, so that any write is noticed.

    Raises:
        CollectionNotFound, StoreError
        ModelError: thoroughly, and the model cannot be loaded.
    """
    info = store.describe(collection)
    found = ledger.runs(kinds=(KIND,), target=info.name, states=(RunState.SUCCEEDED,), limit=1)
    if not found or found[0].result is None:
        return None
    report = EncoderReport.from_json(found[0].result)
    known = thoroughly or report.model in models.resident()
    reasons = stale(
        report,
        info,
        fingerprint=models.get(report.model).fingerprint.digest if known else "",
        signature=signature_of(store, info.name) if thoroughly else None,
    )
    return Standing(found[0], report, reasons)
