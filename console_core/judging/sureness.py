"""How sure a model is of a question: where its first answer's score stands among those of other questions.

A percentile is among the scores of one question, where the first answers are always the highest. Among questions it is
not so: a question whose first answer scores lower than those of nearly all others is one to which the model found
little. It depends on the order of one model's scores alone, so that no monotone rescaling changes it, and two models'
may stand side by side.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console_core.judging.query_sets import QuerySets
from console_core.judging.snapshots import ColumnAnswer, Snapshot, Snapshots
from console_core.querylab.calibration import mid_ranks
from console_core.querylab.rankings import Query
from console_core.vectorstore.types import CollectionInfo

FEWEST = 20
"""Other questions of the same kind that it needs. Words alone, a picture alone and both are three kinds: a picture is
nearer to pictures than words are."""
_SNAPSHOTS = 8
_ByKind = dict[tuple[bool, bool], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Sureness:
    """`share`, 0 to 1, of the `questions` of `set_name` whose first answer scores lower in the same model; what is
    equal counts half. The question itself is not among them."""

    share: float
    questions: int
    set_name: str
    set_version: int


def sureness(answers: Iterable[ColumnAnswer], asked: Sequence[Query], column: int) -> dict[str, float]:
    """For each question that a column answered the share, 0 to 1, of the other questions of its kind whose first answer
    scores lower; without those of which there are too few others."""
    found: dict[str, float] = {}
    for firsts in _firsts(answers, asked, column).values():
        others = len(firsts) - 1
        if others >= FEWEST:
            scores = _array(firsts.values())
            of_all = mid_ranks(scores, scores) * len(scores) / 100  # itself at half is among them
            found |= dict(zip(firsts, ((of_all - 0.5) / others).tolist(), strict=True))
    return found


class FirstScores:
    """The scores of first answers in the snapshots that were compared with last; a snapshot never changes. Safe from
    several threads."""

    def __init__(self, snapshots: Snapshots, query_sets: QuerySets) -> None:
        self._snapshots, self._query_sets = snapshots, query_sets
        self._kept: OrderedDict[tuple[str, str], list[_ByKind]] = OrderedDict()
        self._guard = threading.Lock()

    def sureness(self, info: CollectionInfo, question: Query, score: float) -> Sureness | None:
        """Where the score of a first answer from a collection stands among those to the newest query set that was asked
        of it, as it is now. None where there is none with enough other questions of the kind."""
        wanted = info.name, info.stamp.fingerprint if info.stamp else ""
        for snapshot in self._snapshots.all():
            columns = [(column.collection, column.fingerprint) for column in snapshot.columns]
            if wanted not in columns:
                continue
            firsts = self._of(snapshot)[columns.index(wanted)].get(_kind(question), {})
            others = _array(value for name, value in firsts.items() if name != question.id)
            if len(others) >= FEWEST:
                share = float(mid_ranks(others, np.array([score]))[0]) / 100
                return Sureness(share, len(others), snapshot.set_name, snapshot.set_version)
        return None

    def _of(self, snapshot: Snapshot) -> list[_ByKind]:
        """For each column of a snapshot."""
        name = snapshot.id, snapshot.digest
        with self._guard:
            if (known := self._kept.get(name)) is not None:
                self._kept.move_to_end(name)
                return known
        asked = self._query_sets.queries(self._query_sets.get(snapshot.set_name, snapshot.set_version))
        given = self._snapshots.answers(snapshot.id)
        made = [_firsts(given, asked, place) for place in range(len(snapshot.columns))]
        with self._guard:
            self._kept[name] = made
            while len(self._kept) > _SNAPSHOTS:
                self._kept.popitem(last=False)
        return made


def _firsts(answers: Iterable[ColumnAnswer], asked: Sequence[Query], column: int) -> _ByKind:
    """The first answers' scores by question, for each kind of question."""
    kinds = {question.id: _kind(question) for question in asked}
    found: _ByKind = {}
    for one in answers:
        if one.column == column and one.ranked and one.query in kinds:
            found.setdefault(kinds[one.query], {})[one.query] = one.ranked[0].score
    return found


def _kind(question: Query) -> tuple[bool, bool]:
    return bool(question.text), bool(question.like)


def _array(values: Iterable[float]) -> NDArray[np.float64]:
    return np.array(list(values), dtype=np.float64)
