"""The queries of a report, those with the largest loss first, with what each column answered and how it was graded."""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from html import escape

from console_core.catalog.thumbnails import Thumbnails
from console_core.catalog.types import ImageRow
from console_core.errors import ConsoleError
from console_core.judging.outcome import EvaluationOutcome
from console_core.judging.query_rows import Cell, QueryRow, Tile
from console_core.judging.report_numbers import Numbers
from console_core.judging.snapshots import Snapshots

EDGE = 112
"""Pixels of a picture's longer side. It is drawn smaller, so that it is sharp on a dense screen and on paper."""
MOST_BYTES = 5_500_000
"""Of all pictures; a third more when they are written as text."""
MOST_TILES = 8_000
"""Places for pictures; queries after that many are told in numbers only in the table beside the report."""
_READERS = 4
_FIELDS = {"nDCG": "ndcg", "P": "p", "RR": "rr", "Recall": "recall"}


def queries(outcome: EvaluationOutcome, numbers: Numbers, snapshots: Snapshots, thumbnails: Thumbnails) -> str:
    """The section, with its pictures in it, each of them once."""
    judged = [(place, row) for place, row in enumerate(outcome.queries) if row.chance is not None]
    shown, tiles = [], 0
    for place, row in judged:
        tiles += sum(len(cell.tiles) for cell in row.cells)
        if tiles > MOST_TILES:
            break
        shown.append((place, row))
    if not shown:
        return ""
    keys = dict.fromkeys(tile.key for _, row in shown for cell in row.cells for tile in cell.tiles)
    rows = snapshots.pictures(outcome.answered.id, list(keys))
    pictures = _pictures([rows[key] for key in keys if key in rows], thumbnails)
    names = {key: f"p{number}" for number, key in enumerate(pictures)}
    defined = "".join(
        f'<image id="{names[key]}" width="88" height="88" href="data:image/webp;base64,{b64encode(data).decode()}"/>'
        for key, data in pictures.items()
    )
    alike = len(outcome.queries) - len(judged)
    said = ["Sorted by the largest loss. Below each picture is its grade; what nobody judged counts as irrelevant."]
    if alike:
        said.append(f"Not shown: questions that all columns answer alike ({alike:,}), which need no judge.")
    if len(shown) < len(judged):
        said.append(f"Not shown: {len(judged) - len(shown):,} questions with smaller losses; queries.csv has them all.")
    body = "".join(_query(outcome, place, row, names, numbers) for place, row in shown)
    return (
        f"<h2>Questions</h2>{''.join(f'<p class=soft>{escape(one)}</p>' for one in said)}"
        f'<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>{defined}</defs></svg>{body}'
    )


def _pictures(rows: Iterable[ImageRow], thumbnails: Thumbnails) -> Mapping[str, bytes]:
    """WEBP files by key, as many as may be in one report. What cannot be read is left out."""

    def read(row: ImageRow) -> tuple[str, bytes]:
        try:
            return row.key, thumbnails.get(row, EDGE).data
        except ConsoleError:
            return row.key, b""

    found: dict[str, bytes] = {}
    taken = 0
    with ThreadPoolExecutor(_READERS) as readers:
        for key, data in readers.map(read, rows):
            if data and taken + len(data) <= MOST_BYTES:
                found[key] = data
                taken += len(data)
    return found


def _query(outcome: EvaluationOutcome, place: int, row: QueryRow, names: Mapping[str, str], numbers: Numbers) -> str:
    at, measure = f"queries.{place}", outcome.protocol.measure
    told = []
    for number, (one, value) in enumerate(zip(outcome.comparisons, row.differences, strict=True)):
        kind = "" if not value else "loss" if value < 0 else "win"
        written = numbers(f"{at}.differences.{number}", "difference")
        told.append(f'{one.letter} less A <span class="{kind}">{written}</span>')
    tags = "".join(f' <span class="mark soft"><bdi>{escape(tag)}</bdi></span>' for tag in row.query.tags)
    lines = []
    for number, (column, cell) in enumerate(zip(outcome.columns, row.cells, strict=True)):
        where = f"{at}.cells.{number}"
        told.append(_worth(column.letter, cell, where, outcome, numbers))
        tiles = "".join(
            _tile(tile, names, numbers(f"{where}.tiles.{rank}.grade", "grade")) for rank, tile in enumerate(cell.tiles)
        )
        lines.append(f'<div class="row"><b>{column.letter}</b><div class="tiles">{tiles or "no answer"}</div></div>')
    return (
        f'<section class="query"><h3><bdi>{escape(row.query.label)}</bdi>{tags}</h3>'
        f'<div class="numbers" title="{escape(measure)}">{" · ".join(told)}</div>{"".join(lines)}</section>'
    )


def _worth(letter: str, cell: Cell, where: str, outcome: EvaluationOutcome, numbers: Numbers) -> str:
    if cell.judged is None:
        return f"{letter} did not answer"
    value = numbers(f"{where}.scores.{_FIELDS[outcome.protocol.metric]}", "score")
    return f"{letter} {value}, Judged@{outcome.protocol.k} {numbers(f'{where}.judged', 'share')}"


def _tile(tile: Tile, names: Mapping[str, str], grade: str) -> str:
    key = escape(tile.key)
    drawn = f'<div class="grey">{key}</div>'
    if tile.key in names:
        drawn = (
            f'<svg class="t" viewBox="0 0 88 88" role="img" aria-label="{key}"><use href="#{names[tile.key]}"/></svg>'
        )
    return f'<figure title="{key}">{drawn}<figcaption><b>{grade}</b></figcaption></figure>'
