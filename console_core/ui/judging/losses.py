"""The questions of an evaluation, those that lose most first, each with both answers and their grades."""

import streamlit as st

from console_core.judging import wording
from console_core.judging.judgements import Evaluation
from console_core.judging.outcome import EvaluationOutcome
from console_core.judging.query_rows import QueryRow
from console_core.ui import gallery, panels, pictures, session, words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.judging.tiles import CANNOT, tile, tile_width
from console_core.ui.open_picture import OPEN, drawer, open_picture, opened
from console_core.ui.ordering import ORDER, chosen_order
from console_core.ui.unrestored import one_of, say

QUESTION = "question"
REVEALED = (QUESTION, ORDER, OPEN)
"""Parameters of the address, from the reveal on."""
_ORDERS = {"loss": "Largest loss first", "gain": "Largest gain first"}
_LOSS = next(iter(_ORDERS))


def queries_with_losses(evaluation: Evaluation, found: EvaluationOutcome) -> None:
    """A table, and below it the question that the address names, else the first one."""
    if not found.queries:
        return
    by_id = {row.query.id: row for row in found.queries}
    say([*one_of(QUESTION, by_id, "the first one is shown"), *one_of(ORDER, _ORDERS, "the largest loss comes first")])
    letters = [one.letter for one in found.comparisons]
    metric = found.protocol.metric
    with panels.card("Questions", caption="Click one to see both answers with their grades."):
        rows = _in_order(found)
        table = [
            {
                "Question": row.query.label,
                **{
                    f"{column.letter} {found.protocol.measure}": cell.scores.of(metric) if cell.scores else None
                    for column, cell in zip(found.columns, row.cells, strict=True)
                },
                **{f"{letter} less A": value for letter, value in zip(letters, row.differences, strict=True)},
                "Tags": ", ".join(row.query.tags),
            }
            for row in rows
        ]
        plain, signed = (st.column_config.NumberColumn(format=form) for form in ("%.3f", "%+.3f"))
        valued = dict.fromkeys((f"{column.letter} {found.protocol.measure}" for column in found.columns), plain)
        with st.container(height=320 if len(rows) > 8 else "content", border=False):
            place = clickable_table(
                table,
                key="losses",
                alt="Questions by loss",
                columns={**valued, **dict.fromkeys((f"{letter} less A" for letter in letters), signed)},
            )
    if place is not None:
        session.set_parameters(**{QUESTION: rows[place].query.id, OPEN: None})
    _question(evaluation, found, by_id.get(session.parameter(QUESTION), rows[0]))


def _in_order(found: EvaluationOutcome) -> list[QueryRow]:
    order = chosen_order(_ORDERS, key="losses-order")
    if order == _LOSS:
        return list(found.queries)
    return sorted(
        found.queries,
        key=lambda row: max((one for one in row.differences if one is not None), default=0.0),
        reverse=True,
    )


def _question(evaluation: Evaluation, found: EvaluationOutcome, row: QueryRow) -> None:
    keys = [tile.key for cell in row.cells for tile in cell.tiles]
    shown = session.console().lab.snapshots.pictures(evaluation.snapshot, keys)
    drawn = []
    for column, cell in zip(found.columns, row.cells, strict=True):
        tiles = [
            tile(one.key, shown, note=f"{rank} · grade {wording.grade(one.grade)}")
            for rank, one in enumerate(cell.tiles, start=1)
        ]
        scores = cell.scores
        told = f"{found.protocol.measure} {wording.score(scores.of(found.protocol.metric) if scores else None)}"
        drawn.append(gallery.Column(column.label, tiles, told, CANNOT))
    with panels.card(words.plain(row.query.label)):
        open_picture(gallery.gallery(drawn, key="losses-gallery", picked=opened(), tile_width=tile_width(len(drawn))))
        drawer(pictures.named, lambda _key, _row: None)
