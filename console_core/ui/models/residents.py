"""The models in memory: where each is, in which precision, what it takes, and what happened to it."""

from collections.abc import Sequence

import streamlit as st

from console_core.embedding.loaded import Resident
from console_core.ui import panels, words
from console_core.ui.models.shelf import Shelved


def in_memory(models: Sequence[Shelved], unload_after: float) -> None:
    """A table of those that are there, and what people should know of them."""
    with panels.card("In memory", caption=_leaves(unload_after), key="models-in-memory"):
        there = [(model, model.resident) for model in models if model.resident]
        if not there:
            st.caption("No model is in memory now. A query or a run loads the one that it needs.")
            return
        st.table([_row(model, resident) for model, resident in there], border="horizontal", alt="Models in memory")
        for model, resident in there:
            for note in resident.notes:
                title = words.plain(model.card.title)
                st.caption(f":material/info: {title}: {words.plain(note)}")


def facts(resident: Resident) -> dict[str, str]:
    """What is known of one of them, by name."""
    device, _, precision = resident.device.partition(", ")
    batch = words.count(resident.batch, "picture")
    at_once = f", {resident.passes} passes at once" if resident.passes > 1 else ""
    return {
        "Runs on": device,
        "Precision": precision,
        "Memory": words.size(resident.memory),
        "Batch": f"{batch}{at_once}",
        "Last used": "in use" if resident.idle is None else _ago(resident.idle),
    }


def _row(model: Shelved, resident: Resident) -> dict[str, str]:
    return {"Model": words.plain(model.card.title), **facts(resident)}


def _ago(seconds: float) -> str:
    return "just now" if seconds < 5 else f"{words.duration(round(seconds))} ago"


def _leaves(unload_after: float) -> str:
    when = f"after {words.duration(unload_after)} without use, or " if unload_after else ""
    return f"Shared by queries and runs. A model leaves the memory {when}when others need the room."
