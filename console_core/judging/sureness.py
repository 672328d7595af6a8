"""How sure a model is of a question: where its first answer's score stands among those of other questions.

A percentile is among the scores of one question, where the first answers are always the highest. Among questions it is
not so: a question whose first answer scores lower than those of nearly all others is one to which the model found
little. It depends on the order of one model's scores alone, so that no monotone rescaling changes it, and two models'
may stand side by side.
"""

import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from console_core.judging.query_sets import QuerySets
from console_core.judging.snapshots import Snapshot, Snapshots
from console_core.querylab.calibration import mid_ranks
from console_core.querylab.rankings import Query
from console_core.vectorstore.types import CollectionInfo

FEWEST = 20
"""Other questions of the same kind that it needs. Words alone, a picture alone and both are three kinds: a picture is
nearer to pictures than words are."""
MOST = 2_500_000
"""First scores that are kept, of all snapshots together: some twenty megabytes, and more than a look at the fifty
newest snapshots needs."""
_SNAPSHOTS = 500


@dataclass(frozen=True, slots=True)
class Sureness:
    """`share`, 0 to 1, of the `questions` of `set_name` whose first answer scores lower in the same model; what is
    equal counts half. The question itself is not among them."""

    share: float
    questions: int
    set_name: str
    set_version: int


@dataclass(frozen=True, slots=True, eq=False)
class Firsts:
    """The scores of first answers: for each column those to the questions `ids`, NaN where there is none. `kinds` are
    of the questions, a number for each kind."""

    ids: tuple[str, ...]
    kinds: NDArray[np.int8]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, firsts: Iterable[tuple[str, int, float]], asked: Sequence[Query], columns: int) -> Self:
        """From question, column and score of each, and the questions of the set."""
        ids = tuple(sys.intern(question.id) for question in asked)
        places = {name: place for place, name in enumerate(ids)}
        scores = np.full((columns, len(ids)), np.nan)
        for name, column, score in firsts:
            if (place := places.get(name)) is not None:
                scores[column, place] = score
        return cls(ids, np.array([_kind(question) for question in asked], dtype=np.int8), scores)

    def sureness(self, column: int) -> dict[str, float]:
        """For each question that a column answered the share, 0 to 1, of the other questions of its kind whose first
        answer scores lower; without those of which there are too few others."""
        found: dict[str, float] = {}
        for kind in np.unique(self.kinds).tolist():
            places = self._answered(column, kind)
            others = len(places) - 1
            if others >= FEWEST:
                scores = self.scores[column, places]
                of_all = mid_ranks(scores, scores) * len(scores) / 100  # itself at half is among them
                shares = ((of_all - 0.5) / others).tolist()
                found |= dict(zip((self.ids[place] for place in places), shares, strict=True))
        return found

    def others(self, column: int, question: Query) -> NDArray[np.float64]:
        """The scores of the other questions of its kind in a column."""
        places = self._answered(column, _kind(question))
        own = self.ids.index(question.id) if question.id in self.ids else -1
        scores: NDArray[np.float64] = self.scores[column, places[places != own]]
        return scores

    def _answered(self, column: int, kind: int) -> NDArray[np.intp]:
        return np.flatnonzero((self.kinds == kind) & ~np.isnan(self.scores[column]))


class FirstScores:
    """The scores of first answers in the snapshots that were asked for; a snapshot never changes. Safe from several
    threads."""

    def __init__(self, snapshots: Snapshots, query_sets: QuerySets, *, most: int = MOST) -> None:
        self._snapshots, self._query_sets, self._most = snapshots, query_sets, most
        self._kept: OrderedDict[tuple[str, str], Firsts] = OrderedDict()
        self._guard = threading.Lock()

    def sureness(self, info: CollectionInfo, question: Query, score: float) -> Sureness | None:
        """Where the score of a first answer from a collection stands among those to the newest query set that was asked
        of it, as it is now. None where there is none with enough other questions of the kind."""
        wanted = info.name, info.stamp.fingerprint if info.stamp else ""
        for snapshot in self._snapshots.all():
            columns = [(column.collection, column.fingerprint) for column in snapshot.columns]
            if wanted not in columns:
                continue
            others = self.of(snapshot).others(columns.index(wanted), question)
            if len(others) >= FEWEST:
                share = float(mid_ranks(others, np.array([score]))[0]) / 100
                return Sureness(share, len(others), snapshot.set_name, snapshot.set_version)
        return None

    def of(self, snapshot: Snapshot) -> Firsts:
        """Those of a snapshot. One that is not complete yet is read anew each time."""
        name = snapshot.id, snapshot.digest
        with self._guard:
            if (known := self._kept.get(name)) is not None:
                self._kept.move_to_end(name)
                return known
        asked = self._query_sets.queries(self._query_sets.get(snapshot.set_name, snapshot.set_version))
        made = Firsts.of(self._snapshots.firsts(snapshot.id), asked, len(snapshot.columns))
        if snapshot.is_complete:
            with self._guard:
                self._kept[name] = made
                while len(self._kept) > _SNAPSHOTS or sum(one.scores.size for one in self._kept.values()) > self._most:
                    self._kept.popitem(last=False)
        return made


def _kind(question: Query) -> int:
    return bool(question.text) + 2 * bool(question.like)
