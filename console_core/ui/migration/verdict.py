"""What a verification found: its verdict, every check with its detail, and examples of what is wrong."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from console_core.runs.types import Run
from console_core.ui import pictures, session, words
from console_core.ui.gallery import Tile, grid

CHECKS: Mapping[str, tuple[str, str]] = {
    "model": ("Model", "The collection says that the planned model made it."),
    "count": ("Count", "There is no point beside those of the catalog's pictures."),
    "ids": ("Ids", "Every picture that could be embedded has its point."),
    "dimension": ("Dimension", "Every vector is as long as the model's."),
    "fingerprints": ("Fingerprints", "Every point comes from this model and these weights."),
    "losses": ("Losses", "Every picture that is found today is found afterwards."),
    "norms": ("Norms", "Every vector is finite and of length 1."),
    "sample": ("Sample", "Pictures embedded again give the stored vectors."),
}
EXAMPLES: Mapping[str, str] = {
    "missing": "Pictures without a point",
    "foreign": "Points from another model",
    "dimension": "Vectors of a wrong length",
    "norm": "Vectors that are not of length 1",
    "sample": "Pictures whose vector differs when they are embedded again",
}


def verdict(run: Run) -> None:
    """Draw the result of a finished verification."""
    result = run.result or {}
    green = result.get("verdict") == "green"
    with st.container(horizontal=True, vertical_alignment="center"):
        if green:
            st.badge("Passed", icon=":material/verified:", color="green")
        else:
            st.badge("Did not pass", icon=":material/report:", color="red")
        st.caption(f"{words.count(int(result.get('points', 0)), 'point')} checked {session.when(run.finished_at)}")
    st.table(
        [_row(check) for check in result.get("checks", ())],
        border="horizontal",
        hide_index=True,
        alt="Checks of the verification",
    )
    _examples(run.id, result.get("examples", {}))


def _row(check: Mapping[str, Any]) -> dict[str, str]:
    name = str(check.get("name", ""))
    title, meaning = CHECKS.get(name, (name.capitalize(), ""))
    sign = ":green-badge[:material/check: OK]" if check.get("ok") else ":red-badge[:material/close: Red]"
    return {"Check": title, "Outcome": sign, "Found": words.plain(check.get("detail", "")), "Demands": meaning}


def _examples(run: str, examples: Mapping[str, list[str]]) -> None:
    for finding, keys in examples.items():
        with st.expander(f"{EXAMPLES.get(finding, finding.capitalize())}: {words.count(len(keys), 'example')}"):
            rows = pictures.rows_by_key(keys)
            tiles = [
                Tile(key, pictures.address(key, rows.get(key)), f"Picture {key}", note=f"{key} {_name(rows.get(key))}")
                for key in keys
            ]
            grid(tiles, key=f"examples-{run}-{finding}", tile_width=112)


def _name(row: Any) -> str:
    return pictures.file_name(row)
