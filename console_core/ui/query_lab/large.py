"""What a picture's drawer adds to it: where it stands in each column, and what each column finds like it."""

import pandas as pd
import streamlit as st

from console_core.catalog.names import told
from console_core.catalog.types import ImageRow
from console_core.querylab.beyond import percentile_of
from console_core.querylab.comparison import Answer, Column, Comparison
from console_core.querylab.image_search import ask_like
from console_core.ui import gallery, navigation, panels, pictures, session, words
from console_core.ui.open_picture import open_picture
from console_core.ui.query_lab.answers import distinct_titles
from console_core.ui.query_lab.by_picture import find_similar

NEIGHBOURS = 6


def large(comparison: Comparison, key: str, row: ImageRow | None) -> None:
    """Rank and percentile in each column, the score in each column's own part, and the nearest neighbours there."""
    hits = [next((hit for hit in result.answers if hit.key == key), None) for result in comparison.columns]
    titles = distinct_titles(comparison)
    with st.container(horizontal=True):
        find_similar(key)
        if row is None:
            navigation.link("coverage", "Orphaned points", status="orphaned")
    _standings(comparison, key, hits, titles)
    if row is None and (payload := next((hit.payload for hit in hits if hit is not None), None)):
        shown = {name: told(value) if isinstance(value, str) else value for name, value in payload.items()}
        panels.details({"Picture": told(key), **shown}, alt="What its point says of it")
    _neighbours(comparison, key, hits, titles)


def _standings(comparison: Comparison, key: str, hits: list[Answer | None], titles: list[str]) -> None:
    opened = session.console()
    standings = [
        hit.percentile if hit else percentile_of(opened.store, result, key, opened.samples.of)
        for hit, result in zip(hits, comparison.columns, strict=True)
    ]
    table = [
        {
            "Column": title,
            "Rank": hit.rank if hit else None,
            "Percentile": "–" if standing is None else words.percentile(standing, result.sampled),
            "Shift": words.shift(hit.shift.kind, hit.shift.places)[0] if hit and hit.shift else "–",
        }
        for title, hit, result, standing in zip(titles, hits, comparison.columns, standings, strict=True)
        if result.error is None
    ]
    if table:
        alt = "Rank and percentile of this picture in each column"
        st.dataframe(pd.DataFrame(table), hide_index=True, alt=alt)
        if not all(hits):
            st.caption(f"Without a rank: not among the answers there, of which at most {comparison.limit} are shown.")


def _neighbours(comparison: Comparison, key: str, hits: list[Answer | None], titles: list[str]) -> None:
    """Asked anew, in each column's own way, without the threshold and the filter of the question."""
    columns = [Column(result.asked, result.way) for result in comparison.columns]
    found = ask_like(session.console().store, columns, key, limit=NEIGHBOURS).columns
    rows = pictures.rows_by_key(near for result in found for near in result.keys)
    st.markdown("**Nearest to it**")
    for place, (result, title, hit) in enumerate(zip(found, titles, hits, strict=True)):
        own = f" · score {hit.score:.4f} for the question, of this column only" if hit else ""
        st.caption(f"{words.plain(title)}{own}")
        if result.error is not None:
            st.markdown(f":red[:material/error:] {words.plain(result.error.message)}")
            continue
        picked = gallery.grid(
            [_tile(near, rows) for near in result.answers],
            key=f"lab-near-{place}",
            empty="It has no other picture.",
            tile_width=52,
        )
        if picked is not None:  # a drawer runs by itself: the page must run, to open that of the other picture
            open_picture(picked)
            st.rerun()


def _tile(near: Answer, rows: dict[str, ImageRow]) -> gallery.Tile:
    row = rows.get(near.key)
    said = pictures.caption(near.key, row.payload if row else near.payload)
    return gallery.Tile(near.key, pictures.address(near.key, row), said)
