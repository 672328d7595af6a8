"""Which pictures each judge graded, kept in memory and brought up to date by the words that were added since."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from sqlalchemy import select

from console_core.database import Database
from console_core.judging.judgement_tables import judgements
from console_core.judging.judgements import TAKEN_BACK

MOST = 500_000
"""Pictures that are kept, of all judges together: some hundred megabytes."""
Graded = frozenset[tuple[str, str]]
"""Query ids with picture keys."""
_J = judgements.c


@dataclass(slots=True)
class _Kept:
    pictures: set[tuple[str, str]] = field(default_factory=set)
    newest: int = 0


class GradedPictures:
    """What counts of each judge's words, without the grades: the page of a judge asks for it at every key. Words are
    only added, under numbers that grow, so only those behind the newest one known are read. Safe from several threads.
    """

    def __init__(self, database: Database, *, most: int = MOST) -> None:
        self._database, self._most = database, most
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, evaluation: str, judge: str) -> Graded:
        """The pictures that a judge graded in an evaluation and did not take back."""
        with self._guard:
            kept = self._kept.setdefault((evaluation, judge), _Kept())
            self._kept.move_to_end((evaluation, judge))
            self._catch_up(kept, evaluation, judge)
            while len(self._kept) > 1 and sum(len(one.pictures) for one in self._kept.values()) > self._most:
                self._kept.popitem(last=False)
            return frozenset(kept.pictures)

    def _catch_up(self, kept: _Kept, evaluation: str, judge: str) -> None:
        added = (
            select(_J.number, _J.query, _J.key, _J.grade)
            .where(_J.evaluation == evaluation, _J.judge == judge, _J.number > kept.newest)
            .order_by(_J.number)
        )
        with self._database.reading() as connection:
            rows = connection.execute(added).all()
        for number, query, key, grade in rows:
            (kept.pictures.discard if grade is TAKEN_BACK else kept.pictures.add)((query, key))
            kept.newest = number
