"""How much the answers of two columns change, on the command line: the agreement board."""

from dataclasses import asdict
from typing import Any

from console_core.cli.output import show
from console_core.judging.board import Board
from console_core.judging.snapshots import Snapshot
from console_core.querylab.shifts import persistence_meaning


def show_agreement(snapshot: Snapshot, other: int, found: Board, as_json: bool) -> None:
    """Every question, the most changed first, then tags and the total. The column at place `other` was compared."""
    reference, compared = snapshot.columns[0], snapshot.columns[other]
    measures = f"overlap@{found.k}", f"Jaccard@{found.k}", f"RBO@{found.k} p {found.p:g}"
    lines = [
        f"{compared.model} ({compared.asked}) against {reference.model} ({reference.asked})",
        found.statement,
        persistence_meaning(found.k, found.p),
        "  ".join(measures),
    ]
    for row in found.rows:
        told = row.agreement
        lines.append(f"{_numbers(told.overlap, told.jaccard, told.rbo, measures)}  {row.query.label}")
    summaries = [*found.tags, *([found.total] if found.total else [])]
    for each in summaries:
        name = f"tag {each.name}" if each.name else "all"
        numbers = _numbers(each.overlap, each.jaccard, each.rbo, measures)
        lines.append(f"{numbers}  {name}: {each.queries:,} questions, {each.identical:,} answered alike")
    if found.lacking:
        lines.append(f"{len(found.lacking):,} questions without an answer in one of the columns")
    show(_document(snapshot, other, found), as_json, lines)


def _numbers(overlap: float, jaccard: float, rbo: float, measures: tuple[str, str, str]) -> str:
    numbers = zip((overlap, jaccard, rbo), measures, strict=True)
    return "  ".join(f"{number:.3f}".rjust(len(measure)) for number, measure in numbers)


def _document(snapshot: Snapshot, other: int, found: Board) -> dict[str, Any]:
    return {
        "snapshot": snapshot.id,
        "column": other + 1,
        "k": found.k,
        "p": found.p,
        "statement": found.statement,
        "total": asdict(found.total) if found.total else None,
        "tags": [asdict(tag) for tag in found.tags],
        "questions": [
            {
                "query": row.query.id,
                "question": row.query.label,
                "tags": row.query.tags,
                "overlap": row.agreement.overlap,
                "jaccard": row.agreement.jaccard,
                "rbo": row.agreement.rbo,
                "identical": row.identical,
                "margins": [row.margin_a, row.margin_b],
            }
            for row in found.rows
        ],
        "lacking": found.lacking,
    }
