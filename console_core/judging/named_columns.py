"""What may be said of an evaluation's columns: letters while it is judged, everything once the models were told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase

from console_core.judging.asked_columns import AskedColumn, AskedEncoder
from console_core.judging.judgements import Evaluation
from console_core.querylab.column_text import written
from console_core.querylab.comparison import Column
from console_core.vectorstore.ways import Search

_MAY = "may condemn a model for how it was fed, and not for what it is"


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column by its letter. All else is empty until the models were told. `way` is how it was searched, `encoder` how
    its encoder check stood when it was asked, and `fed` the same in words. `twin_of` is the letter of the column that
    it is the twin of."""

    letter: str
    asked: str = ""
    collection: str = ""
    model: str = ""
    fingerprint: str = ""
    dimension: int | None = None
    points: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    way: str = ""
    encoder: AskedEncoder | None = None
    twin_of: str = ""
    fed: str = ""

    @property
    def label(self) -> str:
        """The letter, and what was asked where it is known: images~exact (C)."""
        return f"{written(Column(self.asked, Search(self.way)))} ({self.letter})" if self.asked else self.letter


def letters(evaluation: Evaluation) -> tuple[str, ...]:
    """What its columns are called, in their order."""
    return tuple(ascii_uppercase[: len(evaluation.columns)])


def named(
    evaluation: Evaluation, columns: Sequence[AskedColumn], twin_of: Mapping[int, int]
) -> tuple[NamedColumn, ...]:
    """The evaluation's own columns as they may be told by now; `twin_of` as of `twins.twins`."""
    given = letters(evaluation)
    if evaluation.revealed_at is None:
        return tuple(map(NamedColumn, given))
    found = []
    for place, (letter, one) in enumerate(zip(given, columns, strict=True)):
        known = one.asked, one.collection, one.model, one.fingerprint, one.dimension, one.points, dict(one.settings)
        twin = given[twin_of[place]] if place in twin_of else ""
        found.append(NamedColumn(letter, *known, one.way.value, one.encoder, twin, one.fed))
    return tuple(found)


def caution(columns: Sequence[AskedColumn], told: Sequence[NamedColumn]) -> str:
    """A warning where a verdict may be about a fault of an encoder; "" where all were found right when they were asked.

    Until the models are told it names no column, and does not say what was found.
    """
    open_ones = {
        one.collection: (name.label, one.fed)
        for one, name in reversed(list(zip(columns, told, strict=True)))
        if one.encoder is None or one.encoder.state != "green"
    }
    if not open_ones:
        return ""
    if not all(one.asked for one in told):
        return f"Not every encoder was known to be right when the questions were asked. A verdict {_MAY}."
    said = [f"{label}: {fed}" for label, fed in reversed(open_ones.values())]
    return f"Not every encoder was known to be right ({'; '.join(said)}). The verdict {_MAY}."
