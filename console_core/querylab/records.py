"""What judging keeps in the ledger, in one place."""

from dataclasses import dataclass

from console_core.database import Database
from console_core.querylab.judgements import Judgements
from console_core.querylab.query_sets import QuerySets
from console_core.querylab.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class LabRecords:
    """The query sets of a workspace, what was answered to them, and what judges said of it."""

    query_sets: QuerySets
    snapshots: Snapshots
    judgements: Judgements

    @classmethod
    def of(cls, database: Database) -> "LabRecords":
        return cls(QuerySets(database), Snapshots(database), Judgements(database))
