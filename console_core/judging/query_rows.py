"""What single queries say: each column's answers with the grades of judges, and the differences between columns."""

from collections.abc import Mapping
from dataclasses import dataclass

from console_core.judging.desk import Desk
from console_core.judging.metrics import Scores, scores, top
from console_core.judging.verdict import Verdict
from console_core.querylab.rankings import Grades, Query


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture in a column's answer, and the grade that judges together gave it; None where nobody's counts."""

    key: str
    grade: int | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What one column answered to one query: its first k with their metrics, None where its verdict is withheld; of the
    reference, and of a twin, where all are. `judged` is Judged@k, None where it could not answer."""

    tiles: tuple[Tile, ...]
    scores: Scores | None
    judged: float | None


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One query in all columns. `chance` is that of being drawn, None where all columns answer alike, which counts as
    no difference without a label, or as they answer another query, which stands for it. `differences` are those to the
    reference, for each column that is compared; None where its verdict is withheld, and where it or the reference could
    not answer."""

    query: Query
    chance: float | None
    cells: tuple[Cell, ...]
    differences: tuple[float | None, ...]

    @property
    def loss(self) -> float:
        """The lowest difference, by which rows are sorted."""
        return min((value for value in self.differences if value is not None), default=0.0)


def query_rows(desk: Desk, grades: Grades, verdicts: Mapping[int, Verdict]) -> tuple[QueryRow, ...]:
    """The queries that count, those with the largest loss first. `verdicts` are by the places of their columns."""
    protocol, sample = desk.evaluation.protocol, desk.sample
    wanted, chances = [*sample.queue, *sample.known], sample.chances
    scored = [
        scores({query: column[query] for query in wanted if query in column}, grades, protocol)
        for column in desk.columns
    ]
    decided = {place: verdict.decision is not None for place, verdict in verdicts.items()}
    shown = [decided.get(place, any(decided.values())) for place in range(len(desk.columns))]
    rows = []
    for query in wanted:
        given = grades.get(query, {})
        cells = []
        for place, (column, values) in enumerate(zip(desk.columns, scored, strict=True)):
            tiles = tuple(Tile(key, given.get(key)) for key in top(column.get(query, ()), protocol.k))
            found = values.get(query)
            cells.append(Cell(tiles, found if shown[place] else None, found.judged if found else None))
        differences = tuple(_difference(one, query) for one in verdicts.values())
        rows.append(QueryRow(desk.queries[query], chances.get(query), tuple(cells), differences))
    return tuple(sorted(rows, key=lambda row: (row.loss, row.chance is None, row.query.id)))


def _difference(verdict: Verdict, query: str) -> float | None:
    if verdict.decision is None or query in verdict.unanswered:
        return None
    return verdict.differences.get(query, 0.0)
