"""The answers on the page: how alike the columns are, what failed, the pictures, and one of them large."""

import pandas as pd
import streamlit as st

from console_core.catalog.types import ImageRow
from console_core.errors import NoTextTower
from console_core.querylab.comparison import Comparison
from console_core.ui import gallery, navigation, pictures, words
from console_core.ui.query_lab.answers import all_keys, column_title, columns, gone
from console_core.ui.query_lab.by_picture import PICTURE, find_similar, like

_WIDTHS = {1: 136, 2: 112, 3: 104, 4: 100}


def show(comparison: Comparison, *, filtered: bool) -> None:
    """All of it. The catalog is asked once for all pictures. `filtered` says that not all points were asked."""
    rows = pictures.rows_by_key(all_keys(comparison))
    _agreement(comparison)
    _errors(comparison)
    drawn = columns(comparison, rows, filtered=filtered)
    picked = gallery.gallery(
        drawn, key="lab-gallery", picked=st.session_state.get(PICTURE, ""), tile_width=_WIDTHS.get(len(drawn), 100)
    )
    if sum(bool(column.tiles) for column in drawn) > 1:
        st.caption("Scores compare pictures within a column only: two models spread their scores differently.")
    left_behind = gone(comparison, rows)
    if left_behind:
        total = words.count(sum(len(column.tiles) for column in left_behind), "picture")
        with st.expander(f"Gone: {total} of the first column", icon=":material/visibility_off:"):
            picked = gallery.gallery(left_behind, key="lab-gone", tile_width=88) or picked
    if picked is not None:
        st.session_state[PICTURE] = picked
    pictures.drawer(PICTURE, pictures.named, lambda key, row: _more(comparison, key, row))


def _agreement(comparison: Comparison) -> None:
    if comparison.reference is None:
        return
    reference = comparison.columns[comparison.reference]
    compared = [(result, result.agreement) for result in comparison.columns if result.agreement is not None]
    for result, agreement in compared:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name, against = column_title(result), column_title(reference)
            if name == against:
                name, against = result.asked, reference.asked
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
                f"RBO {agreement.rbo:.2f}",
                color="gray",
                help=f"Rank-biased overlap: how alike both orders are, where the first places count most "
                f"(p = {agreement.p}); 1 is the same order, 0 nothing in common.",
            )
            if result is compared[0][0]:
                st.caption("Measures change, not quality: which is better is for you to judge.", width="content")


def _errors(comparison: Comparison) -> None:
    for result in comparison.columns:
        if result.error is not None:
            title = f"{column_title(result)}: {result.error.message}"
            st.error(words.plain(result.error.remedy), title=words.plain(title), icon=":material/error:")
    answered = comparison.columns[comparison.reference].answers if comparison.reference is not None else ()
    if answered and any(isinstance(result.error, NoTextTower) for result in comparison.columns):
        label = "Ask all of them for pictures like the first answer"
        st.button(label, icon=":material/image_search:", key="lab-like-first", on_click=like, args=(answered[0].key,))


def _more(comparison: Comparison, key: str, row: ImageRow | None) -> None:
    with st.container(horizontal=True):
        find_similar(key)
        if row is None:
            navigation.link("coverage", "Orphaned points", status="orphaned")
    table = [
        {
            "Column": column_title(result),
            "Rank": hit.rank if hit else None,
            "Score": hit.score if hit else None,
            "Shift": words.shift(hit.shift.kind, hit.shift.places)[0] if hit and hit.shift else "–",
        }
        for result in comparison.columns
        if result.error is None
        for hit in (next((answer for answer in result.answers if answer.key == key), None),)
    ]
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        alt="Rank and score of this picture in each column",
        column_config={"Score": st.column_config.NumberColumn(format="%.3f")},
    )
