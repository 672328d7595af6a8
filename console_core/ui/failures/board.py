"""The failed pictures of a collection: by class, a page of them, and what can be done about those that are chosen."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import streamlit as st

from console_core.runs.types import FailedPicture
from console_core.ui import navigation, panels, session, words
from console_core.ui.failed_table import PAGE, chosen_class, failed_table, turn
from console_core.ui.failures.acting import Chosen, actions, export
from console_core.ui.failures.choosing import QUARANTINE, chosen_view
from console_core.ui.session import parameter
from console_core.vectorstore.types import CollectionInfo

_TURN = "failures-turn"


def failed_board(info: CollectionInfo) -> None:
    """Draw it. `view`, `kind` and `after` are in the address."""
    failed = session.console().failed
    open_to, quarantined = failed.counts(info.name, quarantined=False), failed.counts(info.name, quarantined=True)
    if not open_to and not quarantined:
        panels.empty_state(
            f"Nothing failed in {info.name}",
            "Every picture that a run tried is in this collection. Coverage shows what was not tried yet.",
            icon=":material/check_circle:",
            action=lambda: navigation.link("coverage", "Its coverage", collection=info.name),
        )
        return
    with panels.card("Failed pictures", caption=_CAPTION, aside=lambda: export(info, parameter("kind"))):
        view = chosen_view(sum(open_to.values()), sum(quarantined.values()))
        held = view == QUARANTINE
        counts = quarantined if held else open_to
        kind = chosen_class(counts)
        after = parameter("after")
        page = failed.page(info.name, kind=kind, quarantined=held, after=after, limit=PAGE + 1)
        buttons = st.container()
        chosen = failed_table(
            page[:PAGE], more=_held_cells if held else _cells, columns=_COLUMNS, selection=_selection(page)
        )
        turn(page, after=after)
        number = counts.get(kind, 0) if kind else sum(counts.values())
        with buttons:
            actions(info, Chosen(tuple(one.key for one in chosen), kind, number), held=held, done=_forget_selection)


_CAPTION = "Mend the files, then retry them. What cannot be mended goes into quarantine: no build tries it again."
_COLUMNS = {"Tries": st.column_config.NumberColumn(width=64)}


def _cells(one: FailedPicture) -> Mapping[str, object]:
    return {"Tries": one.tries, "Last try": words.ago(one.last_at)}


def _held_cells(one: FailedPicture) -> Mapping[str, object]:
    return {"Tries": one.tries, "Put there by": one.quarantined_by, "Since": words.ago(one.quarantined_at)}


def _selection(page: Sequence[FailedPicture]) -> str:
    """The table's key: another one whenever other rows are shown, as a selection is kept by position."""
    shown = blake2b("\n".join(one.key for one in page).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"failures-table-{st.session_state.get(_TURN, 0)}-{shown}"


def _forget_selection() -> None:
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
