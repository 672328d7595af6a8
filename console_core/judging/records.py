"""What judging keeps in the ledger, in one place."""

import threading
from collections import OrderedDict

from console_core.database import Database
from console_core.judging.desk import Desk
from console_core.judging.graded import GradedPictures
from console_core.judging.judge_browsers import JudgeBrowsers
from console_core.judging.judgements import Evaluation, Judgements
from console_core.judging.looks import Looks
from console_core.judging.query_lists import captioned
from console_core.judging.query_sets import QuerySets
from console_core.judging.readings import Readings
from console_core.judging.siblings import Siblings
from console_core.judging.snapshots import Snapshot, Snapshots
from console_core.judging.sureness import FirstScores
from console_core.judging.told import ToldVerdicts
from console_core.querylab.rankings import Query

MOST_PLACES = 4_000_000
"""In the rankings of all desks in memory, each a pointer or three: the largest desk (10,000 queries, four columns, a
hundred answers each) takes some hundred megabytes, and then it is there alone."""


class LabRecords:
    """The query sets of a workspace, what was answered to them, and what judges said. Safe from several threads."""

    def __init__(self, database: Database) -> None:
        self.query_sets = QuerySets(database)
        self.snapshots = Snapshots(database)
        self.readings = Readings(self.snapshots)
        self.firsts = FirstScores(self.snapshots, self.query_sets)
        self.judgements = Judgements(database)
        self.graded = GradedPictures(database)
        self.looks = Looks(database)
        self.told = ToldVerdicts(database)
        self.siblings = Siblings(database)
        self.judge_browsers = JudgeBrowsers(database)
        self._desks: OrderedDict[str, Desk] = OrderedDict()
        self._guard = threading.Lock()

    def asked(self, snapshot: Snapshot) -> list[Query]:
        """The questions of a snapshot in their order, each picture with what it was called when it was asked.

        Raises:
            NotFound: its query set is not there.
        """
        asked = self.query_sets.queries(self.query_sets.get(snapshot.set_name, snapshot.set_version))
        rows = self.snapshots.pictures(snapshot.id, [one.like for one in asked if one.like])
        return [captioned(one, rows) for one in asked]

    def desk(self, evaluation: Evaluation) -> Desk:
        """The desk of an evaluation. Its answers never change, so it is kept in memory.

        Raises:
            NotFound: its snapshot or its query set is not there.
        """
        with self._guard:
            known = self._desks.pop(evaluation.id, None)
            if known is not None:
                self._desks[evaluation.id] = known
        if known is not None:
            return known
        snapshot = self.snapshots.get(evaluation.snapshot)
        asked = self.asked(snapshot)
        rankings = self.readings.of(snapshot).rankings
        made = Desk(evaluation, asked, [rankings[place] for place in evaluation.columns])
        with self._guard:
            self._desks[evaluation.id] = made
            while len(self._desks) > 1 and sum(one.size for one in self._desks.values()) > MOST_PLACES:
                self._desks.popitem(last=False)
        return made
