"""What a verdict said when the models were told, as it was then: later versions of the program may compute others."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Table, Text, insert, select

from console_core.database import Database, Instant, Json, metadata

Figures = Sequence[Sequence[str | float | None]]
"""For each comparison or pair what was found, and its numbers."""
told_verdicts = Table(
    "told_verdicts",
    metadata,
    Column("evaluation", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("sentences", Json, nullable=False),
    Column("figures", Json, nullable=False),
    Column("versions", Json, nullable=False),
    Column("document", Json, nullable=False),
)


@dataclass(frozen=True, slots=True)
class ToldVerdict:
    """The sentence of each comparison or pair and the figures that decide it, the versions of the programs that
    computed them, and when that was."""

    sentences: tuple[str, ...]
    figures: Figures
    versions: Mapping[str, str]
    at: datetime


class ToldVerdicts:
    """The verdicts of a workspace as they were when models were told. The first one of an evaluation stays."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before this table was known
            metadata.create_all(connection, tables=[told_verdicts])

    def keep(self, evaluation: str, said: ToldVerdict, document: Mapping[str, Any]) -> None:
        """Keep what was said, and all of it as a document; nothing where something is kept already."""
        known = select(told_verdicts.c.evaluation).where(told_verdicts.c.evaluation == evaluation)
        row = asdict(said) | {"evaluation": evaluation, "document": dict(document)}
        with self._database.transaction() as connection:
            if connection.execute(known).first() is None:
                connection.execute(insert(told_verdicts).values(**row))

    def of(self, evaluation: str) -> ToldVerdict | None:
        """What was said; None where the models were not told, or before this was kept."""
        columns = told_verdicts.c
        asked = select(columns.sentences, columns.figures, columns.versions, columns.at).where(
            columns.evaluation == evaluation
        )
        with self._database.reading() as connection:
            row = connection.execute(asked).first()
        return ToldVerdict(tuple(row.sentences), row.figures, row.versions, row.at) if row is not None else None

    def document(self, evaluation: str) -> Mapping[str, Any]:
        """All numbers that it had; empty where nothing is kept."""
        asked = select(told_verdicts.c.document).where(told_verdicts.c.evaluation == evaluation)
        with self._database.reading() as connection:
            return connection.scalar(asked) or {}
