"""What a verification found: its verdict, every check with its detail, and every difference with its pictures."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import streamlit as st

from console_core.catalog.names import told
from console_core.runs.types import Run, RunState
from console_core.ui import navigation, pictures, session, words
from console_core.ui.gallery import Tile, grid
from console_core.ui.verification.differences import differences

CHECKS: Mapping[str, tuple[str, str]] = {
    "model": ("Model", "The collection says that the planned model made it."),
    "count": ("Count", "There is no point beside those of the catalog's pictures."),
    "ids": ("Ids", "Every picture that could be embedded has its point."),
    "dimension": ("Dimension", "Every vector is as long as the model's."),
    "fingerprints": ("Fingerprints", "Every point comes from this model and these weights."),
    "contents": ("Contents", "Every point is of its row and its picture as they are now."),
    "losses": ("Losses", "Every picture that is found today is found afterwards."),
    "norms": ("Norms", "Every vector is finite and of length 1."),
    "sample": ("Vectors", "Pictures embedded again give the stored vectors."),
}


def verdict(run: Run, *, stale: tuple[str, ...] = (), explained: bool = False) -> None:
    """Draw the result of a finished verification; `stale` says why it does not count any more.

    Where the page says that already, it is `explained`.
    """
    result = run.result or {}
    with st.container(horizontal=True, vertical_alignment="center"):
        if result.get("verdict") != "green":
            st.badge("Did not pass", icon=":material/report:", color="red")
        elif stale:
            st.badge("Stale", icon=":material/history:", color="orange", help="It passed, and does not count any more.")
        else:
            st.badge("Passed", icon=":material/verified:", color="green")
        st.caption(_when(run, result, stale=bool(stale)))
    for reason in stale if result.get("verdict") == "green" and not explained else ():
        st.markdown(f":orange[:material/lock:] {words.plain(reason)}")
    _repaired(run)
    st.table(
        [_row(check) for check in result.get("checks", ())],
        border="horizontal",
        hide_index=True,
        alt="Checks of the verification",
    )
    differences(run)
    _losses(run.id, result.get("examples", {}).get("losses", ()), int(result.get("losses", 0)))


def _when(run: Run, result: Mapping[str, Any], *, stale: bool) -> str:
    mode = "in full" if result.get("mode") == "full" else "with a sample"
    said = f"{words.count(int(result.get('points', 0)), 'point')} checked {mode}, {session.when(run.finished_at)}"
    if stale or result.get("verdict") != "green" or run.finished_at is None:
        return said
    until = run.finished_at + timedelta(hours=session.console().settings.verdict_hours)
    return f"{said}. Counts until {words.moment(until, session.zone())}, unless something is written."


def _row(check: Mapping[str, Any]) -> dict[str, str]:
    name = str(check.get("name", ""))
    title, meaning = CHECKS.get(name, (name.capitalize(), ""))
    sign = ":green-badge[:material/check: OK]" if check.get("ok") else ":red-badge[:material/close: Red]"
    return {"Check": title, "Outcome": sign, "Found": words.plain(check.get("detail", "")), "Demands": meaning}


def _repaired(run: Run) -> None:
    """What the repair did that this verification was made after."""
    ledger = session.console().ledger
    repairs = ledger.runs(kinds=("repair",), target=run.target, states=(RunState.SUCCEEDED,), limit=1)
    verified = ledger.runs(kinds=("verify",), target=run.target, states=(RunState.SUCCEEDED,), limit=2)
    earlier = verified[1].finished_at if len(verified) > 1 else None
    if not repairs or run.id != verified[0].id:
        return
    ended, begun = repairs[0].finished_at, run.started_at
    if ended is None or begun is None or ended > begun or (earlier is not None and ended < earlier):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/build: {words.plain(repairs[0].reason)} Then it was verified again.", width="content")
        navigation.link("runs", "The repair", icon=":material/arrow_forward:", run=repairs[0].id)


def _losses(run: str, keys: list[str], lost: int) -> None:
    if not keys:
        return
    with st.expander(f"{words.count(lost, 'picture')} found today and lost, for example"):
        rows = pictures.rows_by_key(keys)
        tiles = [
            Tile(
                key,
                pictures.address(key, rows.get(key)),
                pictures.named(key),
                note=f"{told(key)} {pictures.file_name(rows.get(key))}",
            )
            for key in keys
        ]
        grid(tiles, key=f"losses-{run}", tile_width=112)
