"""Where the columns of a snapshot answer alike, and where not: change, not quality; and how judging begins."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.judging.asked_columns import AskedColumn
from console_core.judging.board import STATEMENT, Board, Row, Summary
from console_core.judging.boards import board_of
from console_core.judging.snapshots import Snapshot
from console_core.judging.wording import named
from console_core.querylab.rankings import Query, Rankings
from console_core.ui import gallery, panels, pictures, session, words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.judging.beginning import begin_form
from console_core.ui.judging.board_choice import QUESTION, choose_column, choose_measure, chosen, in_order, left_out
from console_core.ui.judging.curtain import may_see
from console_core.ui.judging.presenting import present_form
from console_core.ui.judging.threshold import threshold_form
from console_core.ui.judging.tiles import CANNOT, ranked, tile_width
from console_core.ui.open_picture import OPEN, drawer, open_picture, opened
from console_core.ui.session import parameter, set_parameters
from console_core.ui.unrestored import say

_SURE, _MARGINS = ("Sure, ref.", "Sure, other"), ("Margin, ref.", "Margin, other")
_WIDTH = 86
"""Of a measure's column, in CSS pixels, so that all of them stand beside the question."""


def agreement_view(snapshot: Snapshot) -> None:
    """The whole: facts, totals, tags, questions by disagreement, one of them side by side, and the form."""
    lab = session.console().lab
    asked = lab.asked(snapshot)
    reading = lab.readings.of(snapshot)
    rankings = reading.rankings
    st.caption(
        words.plain(
            f"{snapshot.set_name} v{snapshot.set_version} · {words.count(len(asked), 'question')} · "
            f"{snapshot.depth} answers each · asked by {snapshot.made_by}, "
        )
        + session.when(snapshot.made_at)
    )
    stood = {column.collection: f"{column.asked}: {column.fed}" for column in reversed(snapshot.columns)}
    st.caption(words.plain(" · ".join(reversed(stood.values()))))
    if not lab.readings.is_intact(snapshot):
        st.error("Ask the query set again.", title="The answers are not those that were kept", icon=":material/report:")
    if len(snapshot.columns) < 2:
        panels.empty_state("There is one column only", "Ask the query set of two or more collections to compare them.")
        return
    now = chosen(snapshot)
    found = board_of(lab, snapshot, other=now.other, k=now.k, p=now.p, reading=reading)
    by_id = {row.query.id: row for row in found.rows}
    say(left_out(snapshot, by_id))
    choose_column(snapshot, now, _title)
    reference, other = snapshot.columns[0], snapshot.columns[now.other]
    with panels.card(f"{_title(other)} against {_title(reference)}", caption=STATEMENT):
        choose_measure(snapshot, now)
        _totals(found)
        _lacking(found, asked)
    begin_form(snapshot, rankings)
    threshold_form(snapshot, now.other)
    present_form(snapshot, found)
    firsts = lab.firsts.of(snapshot)
    sure = [firsts.sureness(place) for place in (0, now.other)]
    with panels.card("Questions", caption="Click one to see what each column answered."):
        rows = in_order(found, asked)
        clicked = _questions(found, rows, sure)
    if clicked is not None:
        set_parameters(**{QUESTION: clicked.id, OPEN: None})
    shown = by_id.get(parameter(QUESTION))
    if shown is not None and may_see(snapshot):
        _side_by_side(snapshot, shown.query, rankings, now.k)


def _title(column: AskedColumn) -> str:
    return f"{column.model} ({column.name})"


def _totals(found: Board) -> None:
    total = found.total
    if total is None:
        st.markdown("No question was answered by both columns.")
        return
    with st.container(horizontal=True):
        st.metric(f"Overlap@{found.k}", words.percent(total.overlap), border=True, help="Places filled alike.")
        st.metric(f"Jaccard@{found.k}", f"{total.jaccard:.2f}", border=True)
        st.metric(_rbo(found), f"{total.rbo:.2f}", border=True, help="Rank-biased overlap.")
        st.metric("Answered alike", f"{total.identical:,} of {total.queries:,}", border=True)
    if total.margin_a is not None and total.margin_b is not None:
        st.caption(
            f"Text-image margin: the first answer's score stands {total.margin_a:.3f} above the sample's median in the "
            f"reference, {total.margin_b:.3f} in the other column, each in its own model's unit. Low is an alarm; "
            "the two are not compared with each other. Tags and questions have it, too."
        )
    if len(found.tags) > 1 or (found.tags and found.tags[0].queries < total.queries):
        st.dataframe(
            [_row(tag, found) for tag in found.tags],
            hide_index=True,
            height="content",
            column_config={f"Overlap@{found.k}": st.column_config.NumberColumn(format="percent")},
            alt="Agreement by tag",
        )


def _lacking(found: Board, asked: Sequence[Query]) -> None:
    """Which questions are in none of the numbers."""
    if found.lacking:
        labels = {query.id: query.label for query in asked}
        names = named([labels[query] for query in found.lacking]).partition(": ")[2]
        number = words.count(len(found.lacking), "question")
        st.caption(words.plain(f"{number} without an answer in one of the columns: {names}."))


def _rbo(found: Board) -> str:
    return f"RBO@{found.k}, p {found.p:g}"


def _row(tag: Summary, found: Board) -> dict[str, object]:
    return {
        "Tag": tag.name,
        "Questions": tag.queries,
        f"Overlap@{found.k}": round(tag.overlap, 3),
        f"Jaccard@{found.k}": round(tag.jaccard, 3),
        _rbo(found): round(tag.rbo, 3),
        "Answered alike": tag.identical,
        **_margins(tag),
    }


def _margins(one: Summary | Row) -> dict[str, float | None]:
    """Text-image margins, each in its own model's unit; nothing where neither column has one."""
    if one.margin_a is None and one.margin_b is None:
        return {}
    return dict(zip(_MARGINS, (_rounded(one.margin_a), _rounded(one.margin_b)), strict=True))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _questions(found: Board, rows: Sequence[Row], sure: Sequence[Mapping[str, float]]) -> Query | None:
    """A table of them; `sure` is how sure the reference and the other column are, nothing where there are too few."""
    columns = dict(zip(_SURE, sure, strict=True)) if any(sure) else {}
    measures = f"Overlap@{found.k}", f"Jaccard@{found.k}", _rbo(found)
    table = [
        {
            "Question": row.query.label,
            **dict(zip(measures, (row.agreement.overlap, row.agreement.jaccard, row.agreement.rbo), strict=True)),
            **{name: told.get(row.query.id) for name, told in columns.items()},
            **_margins(row),
            "Tags": ", ".join(row.query.tags),
        }
        for row in rows
    ]
    percent, share = (
        st.column_config.ProgressColumn(width=_WIDTH, format=form, min_value=0.0, max_value=1.0)
        for form in ("percent", "%.2f")
    )
    with st.container(height=360 if len(rows) > 9 else "content", border=False):
        place = clickable_table(
            table,
            key="board-questions",
            alt="Questions and how alike both answers are",
            columns={
                "Question": st.column_config.TextColumn(width=220),
                **dict.fromkeys((*measures, *columns), share),
                **dict.fromkeys(_MARGINS, st.column_config.NumberColumn(width=_WIDTH, format="%.3f")),
                measures[0]: percent,
            },
        )
    if columns:
        st.caption(
            "“Sure” is the share of the other questions whose first answer scores lower in the same model. Low says "
            "that it found little; it compares across columns, and is no measure of quality."
        )
    return rows[place].query if place is not None else None


def _side_by_side(snapshot: Snapshot, query: Query, rankings: tuple[Rankings, ...], k: int) -> None:
    whole = tuple(rankings[0].get(query.id, ()))
    lists = [tuple(ranking.get(query.id, ()))[:k] for ranking in rankings]
    rows = session.console().lab.snapshots.pictures(snapshot.id, [key for some in lists for key in some])
    drawn = []
    for place, (column, keys) in enumerate(zip(snapshot.columns, lists, strict=True)):
        shown = ranked(keys, rows, reference=whole if place else None)
        drawn.append(gallery.Column(column.title, shown, column.name, CANNOT))
    with panels.card(words.plain(query.label)):
        open_picture(gallery.gallery(drawn, key="board-gallery", picked=opened(), tile_width=tile_width(len(drawn))))
        drawer(pictures.named, lambda _key, _row: None)
