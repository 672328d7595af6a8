"""Columns of an evaluation by their letters, and by what they are once the models were told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import ascii_uppercase

from console_core.judging.judgements import Evaluation
from console_core.judging.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column by its letter. All else is empty until the models were told."""

    letter: str
    asked: str = ""
    collection: str = ""
    model: str = ""
    fingerprint: str = ""
    dimension: int | None = None
    points: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The letter, and the collection where it is known."""
        return f"{self.asked} ({self.letter})" if self.asked else self.letter


def letters(evaluation: Evaluation) -> tuple[str, ...]:
    """What its columns are called, in their order."""
    return tuple(ascii_uppercase[: len(evaluation.columns)])


def named(evaluation: Evaluation, snapshot: Snapshot, place: int, *, told: bool) -> NamedColumn:
    """The column at a place of an evaluation; by its letter alone unless it is `told`."""
    letter, column = letters(evaluation)[place], snapshot.columns[evaluation.columns[place]]
    if not told:
        return NamedColumn(letter)
    known = column.asked, column.collection, column.model, column.fingerprint, column.dimension, column.points
    return NamedColumn(letter, *known, dict(column.settings))
