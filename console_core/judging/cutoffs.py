"""An application's threshold, translated from one column of a snapshot to another."""

from collections.abc import Sequence
from dataclasses import dataclass

from console_core.errors import Refused
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.judgements import Evaluation, combined
from console_core.judging.judges import counting
from console_core.judging.records import LabRecords
from console_core.judging.snapshots import ColumnAnswer, Snapshot
from console_core.querylab.threshold_code import Side, as_json, as_python
from console_core.querylab.thresholds import Scored, Translation, translate
from console_core.vectorstore.types import CollectionInfo


@dataclass(frozen=True, slots=True)
class Cutoff:
    """A translation with the two columns that it is between. `judged_in` is the evaluation whose grades it keeps the
    precision of; "" where it keeps the number of answers."""

    found: Translation
    old: Side
    new: Side
    judged_in: str = ""

    @property
    def text(self) -> str:
        """What it says, in a sentence or two."""
        found = self.found
        if found.new is None:
            return f"No threshold is proposed. {' '.join(found.problems)}"
        kept = "as precise" if found.basis == "precision" else "as many answers"
        return (
            f"{found.old:.6g} of {self.old.model} is {found.new:.6g} of {self.new.model}: {kept}, between "
            f"{found.low:.6g} and {found.high:.6g} with a confidence of {found.confidence:.0%}, from "
            f"{found.queries:,} questions."
        )

    def python(self) -> str:
        """A few lines for an application. Raises Refused where no threshold is proposed."""
        return as_python(self.found, self.old, self.new)

    def json(self) -> str:
        """Everything that is known of it. Raises Refused where no threshold is proposed."""
        return as_json(self.found, self.old, self.new)


def cutoff(
    lab: LabRecords,
    snapshot: Snapshot,
    threshold: float,
    *,
    old: int = 0,
    new: int = 1,
    evaluation: Evaluation | None = None,
) -> Cutoff:
    """The threshold of column `new` that does what `threshold` does in column `old`: as precise by the grades of an
    evaluation, or as many answers without one.

    Raises:
        Refused: the snapshot has no such two columns, or the evaluation is of another snapshot, is by votes, or its
            models are still hidden.
    """
    if old == new or not all(0 <= place < len(snapshot.columns) for place in (old, new)):
        raise Refused("These are not two columns of the snapshot.", f"It has {len(snapshot.columns)}.")
    if evaluation is not None:
        _refuse(evaluation, snapshot)
    answers = lab.readings.of(snapshot).answers
    grades, relevant = None, 1
    if evaluation is not None:
        grades = combined(counting(lab.judgements.of(evaluation.id), lab.desk(evaluation).pools))
        relevant = evaluation.protocol.relevant
    found = translate(_scored(answers, old), _scored(answers, new), threshold, grades, relevant=relevant)
    one, other = (_side(snapshot.columns[place]) for place in (old, new))
    return Cutoff(found, one, other, evaluation.id if evaluation is not None else "")


def revealed_of(lab: LabRecords, snapshot: Snapshot) -> Evaluation | None:
    """The newest evaluation by grades of a snapshot whose models were told; None where there is none."""
    found = (one for one in lab.judgements.all(snapshot=snapshot.id) if one.way == "grades" and one.revealed_at)
    return next(found, None)


def asked_of_both(lab: LabRecords, one: CollectionInfo, others: Sequence[CollectionInfo]) -> Snapshot | None:
    """The newest snapshot that has a collection beside one of the others, each as it is now; before newer ones, where
    it is the reference. None where there is no such snapshot."""

    def name(info: CollectionInfo) -> tuple[str, str]:
        return info.name, info.stamp.fingerprint if info.stamp else ""

    wanted, beside, found = name(one), set(map(name, others)), list[Snapshot]()
    for snapshot in lab.snapshots.all():
        columns = [(column.collection, column.fingerprint) for column in snapshot.columns]
        if wanted in columns and beside & set(columns) - {wanted}:
            found.append(snapshot)
    as_reference = (each for each in found if each.columns[0].collection == one.name)
    return next(as_reference, found[0] if found else None)


def usual(answers: Sequence[ColumnAnswer], column: int, *, k: int = 5) -> float:
    """A threshold to begin with: the median score of a column's k-th answers; 0 without any."""
    scores = sorted(
        one.ranked[min(k, len(one.ranked)) - 1].score for one in answers if one.column == column and one.ranked
    )
    return scores[len(scores) // 2] if scores else 0.0


def _refuse(evaluation: Evaluation, snapshot: Snapshot) -> None:
    if evaluation.snapshot != snapshot.id:
        raise Refused("These are judgements of other answers.", "Name an evaluation of this snapshot.")
    if evaluation.way != "grades":
        raise Refused("Votes between lists tell nothing of single pictures.", "Name an evaluation by grades.")
    if evaluation.revealed_at is None:
        raise Refused("It is still judged blindly.", "Let it be revealed first.")


def _scored(answers: Sequence[ColumnAnswer], column: int) -> Scored:
    return {
        one.query: [(each.key, each.score) for each in one.ranked]
        for one in answers
        if one.column == column and not one.error
    }


def _side(column: AskedColumn) -> Side:
    return Side(column.collection, column.model, column.fingerprint, str(column.settings.get("distance", "cosine")))
