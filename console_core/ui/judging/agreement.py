"""Where the columns of a snapshot answer alike, and where not: change, not quality; and how judging begins."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.judging.board import STATEMENT, Board, Summary, board
from console_core.judging.snapshots import AskedColumn, Snapshot
from console_core.judging.sureness import sureness
from console_core.querylab.rankings import Query, Rankings
from console_core.ui import gallery, panels, pictures, session, words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.judging.beginning import begin_form
from console_core.ui.judging.presenting import present_form
from console_core.ui.judging.threshold import threshold_form
from console_core.ui.judging.tiles import CANNOT, ranked

_PICTURE = "board-picture"


def agreement_view(snapshot: Snapshot) -> None:
    """The whole: facts, totals, tags, questions by disagreement, one of them side by side, and the form."""
    lab = session.console().lab
    asked = lab.query_sets.queries(lab.query_sets.get(snapshot.set_name, snapshot.set_version))
    rankings = lab.readings.of(snapshot).rankings
    st.caption(
        words.plain(
            f"{snapshot.set_name} v{snapshot.set_version} · {words.count(len(asked), 'question')} · "
            f"{snapshot.depth} answers each · asked by {snapshot.made_by}, "
        )
        + session.when(snapshot.made_at)
    )
    if any(one.revealed_at is None for one in lab.judgements.all(snapshot=snapshot.id)):
        st.warning(
            "Whoever judges these answers should not look at this page: it tells which model found what.",
            title="These answers are being judged blindly",
            icon=":material/visibility_off:",
        )
    if not lab.readings.is_intact(snapshot):
        st.error("Ask the query set again.", title="The answers are not those that were kept", icon=":material/report:")
    first, *others = range(len(snapshot.columns))
    if not others:
        panels.empty_state("There is one column only", "Ask the query set of two or more collections to compare them.")
        return
    second = others[0]
    if len(others) > 1:
        second = (
            st.segmented_control(
                "Compared with the reference",
                others,
                default=second,
                required=True,
                key="board-other",
                format_func=lambda place: _title(snapshot.columns[place]),
            )
            or second
        )
    k = min(10, snapshot.depth)
    margins = lab.readings.of(snapshot).margins
    found = board(asked, rankings[first], rankings[second], k=k, margins_a=margins[first], margins_b=margins[second])
    with panels.card(
        f"{_title(snapshot.columns[second])} against {_title(snapshot.columns[first])}", caption=STATEMENT
    ):
        _totals(found)
    begin_form(snapshot, rankings)
    threshold_form(snapshot, second)
    present_form(snapshot, found)
    answers = lab.readings.of(snapshot).answers
    sure = [sureness(answers, asked, place) for place in (first, second)]
    with panels.card("Questions, the most changed first", caption="Click one to see both answers."):
        chosen = _questions(found, sure)
    if chosen is not None:
        st.session_state["board-question"] = chosen.id
    by_id = {query.id: query for query in asked}
    shown = by_id.get(st.session_state.get("board-question", "")) or (found.rows[0].query if found.rows else None)
    if shown is not None:
        _side_by_side(snapshot, shown, rankings, k)


def _title(column: AskedColumn) -> str:
    return f"{column.model} ({column.asked})"


def _totals(found: Board) -> None:
    total = found.total
    if total is None:
        st.markdown("No question was answered by both columns.")
        return
    with st.container(horizontal=True):
        st.metric(f"Overlap@{found.k}", words.percent(total.overlap), border=True, help="Places filled alike.")
        st.metric(f"Jaccard@{found.k}", f"{total.jaccard:.2f}", border=True)
        st.metric("RBO", f"{total.rbo:.2f}", border=True, help=f"Rank-biased overlap, p = {found.p}.")
        st.metric("Answered alike", f"{total.identical:,} of {total.queries:,}", border=True)
    if total.margin_a is not None and total.margin_b is not None:
        st.caption(
            f"Text-image margin: the first answer's score stands {total.margin_a:.3f} above the sample's median in the "
            f"reference, {total.margin_b:.3f} in the other column, each in its own model's unit. Low is an alarm; "
            "the two are not compared with each other."
        )
    if found.lacking:
        st.caption(f"{words.count(len(found.lacking), 'question')} without an answer in one of the columns.")
    if len(found.tags) > 1 or (found.tags and found.tags[0].queries < total.queries):
        st.dataframe(
            [_row(tag, found.k) for tag in found.tags], hide_index=True, height="content", alt="Agreement by tag"
        )


def _row(tag: Summary, k: int) -> dict[str, object]:
    return {
        "Tag": tag.name,
        "Questions": tag.queries,
        f"Overlap@{k}": round(tag.overlap, 3),
        "Jaccard": round(tag.jaccard, 3),
        "RBO": round(tag.rbo, 3),
        "Answered alike": tag.identical,
    }


def _questions(found: Board, sure: Sequence[Mapping[str, float]]) -> Query | None:
    """A table of them; `sure` is how sure the reference and the other column are, nothing where there are too few."""
    columns = dict(zip(("Sure, reference", "Sure, other"), sure, strict=True)) if any(sure) else {}
    rows = [
        {
            "Question": row.query.label,
            f"Overlap@{found.k}": row.agreement.overlap,
            "Jaccard": row.agreement.jaccard,
            "RBO": row.agreement.rbo,
            **{name: told.get(row.query.id) for name, told in columns.items()},
            "Tags": ", ".join(row.query.tags),
        }
        for row in found.rows
    ]
    share = st.column_config.ProgressColumn(width="small", format="%.2f", min_value=0.0, max_value=1.0)
    with st.container(height=360 if len(rows) > 9 else "content", border=False):
        place = clickable_table(
            rows,
            key="board-questions",
            alt="Questions by disagreement",
            columns=dict.fromkeys((f"Overlap@{found.k}", "Jaccard", "RBO", *columns), share),
        )
    if columns:
        st.caption(
            "“Sure” is the share of the other questions whose first answer scores lower in the same model. Low says "
            "that it found little; it compares across columns, and is no measure of quality."
        )
    return found.rows[place].query if place is not None else None


def _side_by_side(snapshot: Snapshot, query: Query, rankings: tuple[Rankings, ...], k: int) -> None:
    whole = tuple(rankings[0].get(query.id, ()))
    lists = [tuple(ranking.get(query.id, ()))[:k] for ranking in rankings]
    rows = session.console().lab.snapshots.pictures(snapshot.id, [key for some in lists for key in some])
    drawn = []
    for place, (column, keys) in enumerate(zip(snapshot.columns, lists, strict=True)):
        shown = ranked(keys, rows, reference=whole if place else None)
        drawn.append(gallery.Column(column.model, shown, column.asked, CANNOT))
    with panels.card(words.plain(query.label)):
        picked = gallery.gallery(drawn, key="board-gallery", picked=st.session_state.get(_PICTURE, ""))
        if picked is not None:
            st.session_state[_PICTURE] = picked
        pictures.drawer(_PICTURE, pictures.named, lambda _key, _row: None)
