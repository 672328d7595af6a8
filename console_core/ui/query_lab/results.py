"""The answers on the page: how alike the columns are, what failed, the pictures, and one of them large."""

import streamlit as st

from console_core.errors import NoTextTower
from console_core.querylab.comparison import Comparison
from console_core.querylab.rankings import Query
from console_core.querylab.shifts import persistence_meaning
from console_core.ui import gallery, pictures, words
from console_core.ui.address import opening
from console_core.ui.open_picture import drawer, open_picture, opened
from console_core.ui.query_lab import encoders
from console_core.ui.query_lab.answers import all_keys, column_title, columns, distinct_titles, gone
from console_core.ui.query_lab.fields import ask_like
from console_core.ui.query_lab.large import large
from console_core.ui.query_lab.least_scores import least_scores

GONE = "gone"
"""What the address says in `show` while the pictures that are gone are."""
_WIDTHS = {1: 136, 2: 112, 3: 104, 4: 92}
_PERCENTILE = (
    "Of each collection there is a fixed random sample of at most 2,000 pictures. For every query the model scores "
    "that sample too, and the percentile of an answer is the share of the sample that scores lower: at 99.9 one "
    "picture of a thousand is as near to the query, or nearer. So 99.9 means the same in every column, whatever scores "
    "a model gives. A filter changes no percentile: it is among the pictures of the whole collection. "
    "Where a collection has 2,000 pictures or fewer the sample is all of them, and the percentiles of first answers "
    "say no more than their ranks. In a much larger one first answers score higher than the whole sample: that is "
    "shown as \\> 99.95, and which of them is nearer is for the ranks to say. A percentile tells most of a picture "
    "that only some columns found, in its drawer, and under a filter. How sure a model is of the question itself "
    "stands over the column once a query set was asked of it."
)


def show(comparison: Comparison, *, filtered: bool, asked: Query | None) -> None:
    """All of it. The catalog is asked once for all pictures. `filtered` says that only points were asked which pass a
    filter. `asked` is the question where a query set could have it."""
    rows = pictures.rows_by_key(all_keys(comparison))
    known = encoders.encoders(comparison)
    encoders.warn(comparison, known)
    _agreement(comparison)
    _errors(comparison)
    encoders.strip(comparison, known, asked)
    least_scores(comparison)
    drawn = columns(comparison, rows, filtered=filtered)
    picked = gallery.gallery(drawn, key="lab-gallery", picked=opened(), tile_width=_WIDTHS.get(len(drawn), 92))
    if any(result.sampled for result in comparison.columns):
        st.caption(
            "Beside a picture's rank stands its percentile: the share of the collection that scores lower for the same "
            "query, in percent. It compares across columns. Scores themselves compare within a column only, and stand "
            "in a picture's drawer.",
            help=_PERCENTILE,
        )
    left_behind = gone(comparison, rows)
    if left_behind:
        total = words.count(sum(len(column.tiles) for column in left_behind), "picture")
        title, change = f"Gone: {total} of the first column", opening("lab-gone-open", GONE)
        with st.expander(title, icon=":material/visibility_off:", key="lab-gone-open", on_change=change):
            picked = gallery.gallery(left_behind, key="lab-gone", tile_width=88) or picked
    open_picture(picked)
    drawer(pictures.named, lambda key, row: large(comparison, key, row))


def _agreement(comparison: Comparison) -> None:
    if comparison.reference is None:
        return
    titles = distinct_titles(comparison)
    against = titles[comparison.reference]
    compared = [
        (title, result.agreement)
        for title, result in zip(titles, comparison.columns, strict=True)
        if result.agreement is not None
    ]
    for place, (name, agreement) in enumerate(compared):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{words.plain(name)}** against {words.plain(against)}", width="content")
            st.badge(
                f"overlap@{agreement.k} {words.percent(agreement.overlap)}",
                color="blue",
                help=f"The share of the first {agreement.k} places that both fill with the same pictures.",
            )
            st.badge(
                f"Jaccard {agreement.jaccard:.2f}",
                color="gray",
                help="Jaccard index: the share that both answers have of all pictures that either has; "
                "1 is the same set, 0 nothing in common.",
            )
            st.badge(
                f"RBO {agreement.rbo:.2f}, p {agreement.p:g}",
                color="gray",
                help="Rank-biased overlap: how alike both orders are, where the first places count most; 1 is the same "
                f"order, 0 nothing in common. {persistence_meaning(agreement.k, agreement.p)}",
            )
            if place == len(compared) - 1:
                st.caption("Measures change, not quality: which is better is for you to judge.", width="content")


def _errors(comparison: Comparison) -> None:
    for result in comparison.columns:
        if result.error is not None:
            title = f"{column_title(result)}: {result.error.message}"
            st.error(words.plain(result.error.remedy), title=words.plain(title), icon=":material/error:")
    answered = comparison.columns[comparison.reference].answers if comparison.reference is not None else ()
    if answered and any(isinstance(result.error, NoTextTower) for result in comparison.columns):
        label = "Ask all of them for pictures like the first answer"
        st.button(
            label, icon=":material/image_search:", key="lab-like-first", on_click=ask_like, args=(answered[0].key,)
        )
