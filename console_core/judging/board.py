"""Where two columns answer a whole query set alike, and where not. Pure, and without any judgment.

It measures change, never quality. Work for each query is linear in k, but for the union of two sets.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from console_core.judging.metrics import top
from console_core.querylab.rankings import Query, Rankings
from console_core.querylab.shifts import PERSISTENCE, Agreement, agreement

STATEMENT = "This measures how much the answers change, not which are better."


@dataclass(frozen=True, slots=True)
class Row:
    """One query. `identical`: both columns answer with the same pictures in the same order.

    `margin_a` and `margin_b` are text-image margins, each in its own model's unit, so that they are never compared with
    each other; None where they were not given.
    """

    query: Query
    agreement: Agreement
    identical: bool
    margin_a: float | None = None
    margin_b: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """Means over the queries of a tag, or of all with name ""; margins over those that have one."""

    name: str
    queries: int
    identical: int
    overlap: float
    jaccard: float
    rbo: float
    margin_a: float | None
    margin_b: float | None


@dataclass(frozen=True, slots=True)
class Board:
    """All queries, the most changed first, then tags, the most changed first, then all together (None of no query).

    `lacking` are queries of the set that a column has no answer to; they are in no other number.
    """

    k: int
    p: float
    rows: tuple[Row, ...]
    tags: tuple[Summary, ...]
    total: Summary | None
    lacking: tuple[str, ...]
    statement: str = STATEMENT


def board(
    queries: Sequence[Query],
    a: Rankings,
    b: Rankings,
    *,
    k: int,
    p: float = PERSISTENCE,
    margins_a: Mapping[str, float] | None = None,
    margins_b: Mapping[str, float] | None = None,
) -> Board:
    """The agreement of two columns at depth k.

    Raises:
        ValueError: p does not lie between 0 and 1.
    """
    of_a, of_b = margins_a or {}, margins_b or {}
    rows, lacking = [], []
    for query in queries:
        if query.id not in a or query.id not in b:
            lacking.append(query.id)
            continue
        first, second = top(a[query.id], k), top(b[query.id], k)
        found = agreement(first, second, k=k, p=p)
        rows.append(Row(query, found, first == second, of_a.get(query.id), of_b.get(query.id)))
    rows.sort(key=lambda row: (row.agreement.rbo, row.agreement.overlap, row.query.id))
    groups: dict[str, list[Row]] = {}
    for row in rows:
        for tag in dict.fromkeys(row.query.tags):
            groups.setdefault(tag, []).append(row)
    tags = sorted((_summary(tag, some) for tag, some in groups.items()), key=lambda each: (each.rbo, each.name))
    return Board(k, p, tuple(rows), tuple(tags), _summary("", rows) if rows else None, tuple(lacking))


def margin(scores: Sequence[float]) -> float | None:
    """The text-image margin of a query: its best score less the median of all scores given, in their own unit.

    A low one is an alarm, a high one no proof. None of no score.
    """
    return max(scores) - median(scores) if scores else None


def _summary(name: str, rows: Sequence[Row]) -> Summary:
    return Summary(
        name=name,
        queries=len(rows),
        identical=sum(row.identical for row in rows),
        overlap=fmean(row.agreement.overlap for row in rows),
        jaccard=fmean(row.agreement.jaccard for row in rows),
        rbo=fmean(row.agreement.rbo for row in rows),
        margin_a=_mean(row.margin_a for row in rows),
        margin_b=_mean(row.margin_b for row in rows),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
