"""The questions of an evaluation, those that lose most first, each with both answers and their grades."""

import streamlit as st

from console_core.judging import wording
from console_core.judging.judgements import Evaluation
from console_core.judging.outcome import EvaluationOutcome
from console_core.judging.query_rows import QueryRow
from console_core.ui import gallery, panels, pictures, session, words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.judging.tiles import CANNOT, tile

_CHOSEN, _PICTURE = "losses-question", "losses-picture"


def queries_with_losses(evaluation: Evaluation, found: EvaluationOutcome) -> None:
    """A table, and below it the question that was clicked, the largest loss to begin with."""
    rows = found.queries
    if not rows:
        return
    letters = [one.letter for one in found.comparisons]
    with panels.card("Questions, the largest loss first", caption="Click one to see both answers with their grades."):
        table = [
            {
                "Question": row.query.label,
                **{f"{letter} less A": value for letter, value in zip(letters, row.differences, strict=True)},
                "Tags": ", ".join(row.query.tags),
            }
            for row in rows
        ]
        signed = st.column_config.NumberColumn(format="%+.3f")
        with st.container(height=320 if len(rows) > 8 else "content", border=False):
            place = clickable_table(
                table,
                key="losses",
                alt="Questions by loss",
                columns=dict.fromkeys((f"{letter} less A" for letter in letters), signed),
            )
    if place is not None:
        st.session_state[_CHOSEN] = rows[place].query.id
    by_id = {row.query.id: row for row in rows}
    _question(evaluation, found, by_id.get(st.session_state.get(_CHOSEN, ""), rows[0]))


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
        picked = gallery.gallery(drawn, key="losses-gallery", picked=st.session_state.get(_PICTURE, ""))
        if picked is not None:
            st.session_state[_PICTURE] = picked
        pictures.drawer(_PICTURE, lambda key: f"Picture {key}", lambda _key, _row: None)
