"""Every building block of the screen on one page; drawn by the tests, and by hand with `streamlit run`."""

import base64
import io
import math
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal

import streamlit as st
from PIL import Image, ImageDraw

from console_core.errors import StoreUnavailable
from console_core.migration.findings import block, info, warn
from console_core.querylab.shifts import Shift, shifts
from console_core.runs.types import Counts
from console_core.ui import charts, confirm, frame, gallery, panels, words
from console_core.ui.panels import Marked

COLOURS = ("#c84b31", "#2d6187", "#28925a", "#e0a526", "#6b4fa0", "#d77fa1", "#3d8fa8", "#8d6e63")
THEN = datetime(2025, 11, 21, 9, 4, tzinfo=UTC)


@st.cache_data
def picture(number: int) -> str:
    image = Image.new("RGB", (160, 160), COLOURS[number % 8])
    draw = ImageDraw.Draw(image)
    fill = COLOURS[(number * 3 + 1) % 8]
    if number % 3:
        draw.ellipse((30 + number, 26, 120, 122), fill=fill)
    else:
        draw.polygon([(80, 22), (138, 130), (20, 118)], fill=fill)
    stream = io.BytesIO()
    image.save(stream, "WEBP")
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()


def tile(number: int, rank: int, shift: Shift | Literal["gone"] | None) -> gallery.Tile:
    return gallery.Tile(f"p{number}", picture(number), f"Picture {number}", rank, 99.9 - rank * 1.7, shift)


def actions() -> None:
    st.button("Refresh", icon=":material/refresh:")
    st.button("New migration", icon=":material/add:", type="primary", key="new")


def figures() -> None:
    with st.grid(4, min_column_width=200):
        st.metric("Points", "12,400", "+380 today", border=True, height="stretch")
        st.metric("Coverage", words.percent(0.973), border=True, height="stretch")
        st.metric("Rate", words.rate(842), border=True, height="stretch")
        st.metric("Time to go", words.interval(125, 178), border=True, height="stretch")


def states() -> None:
    left, right = st.columns(2)
    with left, panels.card("Run states"), st.container(horizontal=True, gap="small"):
        for state in words.RUN_STATES:
            panels.state_badge(words.run_state(state))
    with right, panels.card("Failures"), st.container(horizontal=True, gap="small"):
        for kind in words.FAILURES:
            panels.state_badge(words.failure(kind))
    left, right = st.columns(2)
    with left, panels.card("Preflight", caption="Before anything is written."):
        panels.findings(
            [
                info("normalised", "Vectors of *images* are of length 1."),
                block("dimension", "The collection has 512 dimensions, the model makes 768.", "Choose a new target."),
                warn("defects", "About 1 % of the pictures could not be read.", "They are listed as failures."),
            ]
        )
    with right, panels.card("images__demo-siglip", aside=partial(panels.state_badge, words.run_state("running"))):
        panels.details(
            {
                "Model": "demo-siglip",
                "Fingerprint": words.digest("8f2c1a77d0"),
                "Aliases": Marked(":blue-badge[images]"),
                "Distance": "cosine",
                "Remark": "",
            }
        )


def running() -> None:
    with panels.card("images → demo-siglip", caption="Run r-0193"):
        counts = Counts(selected=1200, done=730, skipped={"no picture": 4}, failed={"missing": 7})
        panels.progress(counts, fraction=counts.settled / counts.selected, sentence="842 pictures/s, 2–3 min to go")


def drawn() -> None:
    groups = {
        "anna": {"embedded": 420, "missing": 12, "failed": 3},
        "ben": {"embedded": 260, "missing": 140, "stale": 22},
        "chiara": {"embedded": 80, "missing": 310, "failed": 9, "orphaned": 12},
    }
    left, right = st.columns([3, 2])
    with left, panels.card("Coverage by user"):
        chosen = panels.chart(charts.coverage_bars(groups), key="bars", clickable=True)
        st.caption(f"Chosen: {chosen['y']}" if chosen else "Click a bar to see its pictures.")
    rates = [(THEN + timedelta(seconds=4 * step), 800 + 60 * math.sin(step / 7)) for step in range(90)]
    with right, panels.card("Throughput"):
        panels.chart(charts.throughput(rates), key="rate")
    days = [(THEN + timedelta(days=day), min(1.0, 0.2 + day * 0.09)) for day in range(10)]
    with panels.card("Coverage over time"):
        lines = {"demo-clip": [(at, 0.99) for at, _ in days], "demo-siglip": days}
        panels.chart(charts.coverage_over_time(lines), key="time")


def pictures() -> None:
    before, after = [1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 3, 9, 4, 10, 5, 6]
    moved = shifts([f"p{n}" for n in before], [f"p{n}" for n in after])
    first: list[Literal["gone"] | None] = ["gone" if f"p{n}" in moved.gone else None for n in before]
    columns = [
        gallery.Column("demo-clip", [tile(n, r, first[r - 1]) for r, n in enumerate(before, 1)], "images, 12 ms"),
        gallery.Column("demo-siglip", [tile(n, r, moved.hits[r - 1]) for r, n in enumerate(after, 1)], "9 ms"),
        gallery.Column("empty-model", [], empty="Nothing was found."),
    ]
    with panels.card("Side by side"):
        picked = gallery.gallery(columns, key="columns", picked=st.session_state.get("last_picked", ""))
        if picked:
            st.session_state["last_picked"] = picked
            st.rerun()
        st.caption(f"Picked: {st.session_state.get('last_picked', 'none')}")
    with panels.card("Points"):
        tiles = [gallery.Tile(f"g{n}", picture(n), f"Point {n}", note=f"photos/{n:04}.jpg") for n in range(14)]
        gallery.grid(tiles, key="grid", tile_width=112)


def asked() -> None:
    question = confirm.Question(
        "Cut over to images__demo-siglip?",
        "The alias **images** moves in one step. Nothing is deleted; one click moves it back.",
        "Cut over",
        partial(st.session_state.__setitem__, "was_cut_over", True),
        typed="images",
    )
    st.button("Cut over", on_click=confirm.ask, args=(question,), key="cut-over")
    if st.session_state.get("was_cut_over"):
        st.caption("The alias has moved.")


def first_migration() -> None:
    st.button("New migration", key="empty-new")


st.set_page_config(page_title="Style guide", layout="wide")
with frame.page("Style guide", lead="Every building block of the console, in one place.", actions=actions):
    figures()
    states()
    running()
    drawn()
    pictures()
    asked()
    panels.empty_state(
        "No migrations yet",
        "A migration builds a new collection beside the old one, and moves the alias when you say so.",
        action=first_migration,
    )
    with frame.guarded("Store panel"):
        raise StoreUnavailable("The store at http://127.0.0.1:6333 does not answer.", "Start Qdrant, then try again.")
