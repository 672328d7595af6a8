"""What columns answered is hidden while it is judged blindly, until somebody opens it expressly: that is told."""

import streamlit as st

from console_core.judging.snapshots import Snapshot
from console_core.ui import panels, session, words
from console_core.ui.permission import command_button

_OPENED = "answers-opened"
"""The blind evaluations for which a session opened it. One that is begun later, of the same answers, is not among
them, and hides it again."""


def is_hidden(snapshot: Snapshot) -> bool:
    """Whether it is being judged blindly, and this session did not open it."""
    return not _opened().issuperset(_blind(snapshot))


def may_see(snapshot: Snapshot) -> bool:
    """Whether it is shown which column answered what; where it is not, say so and offer to open it."""
    if not is_hidden(snapshot):
        return True
    blind = _blind(snapshot)
    with panels.card("Which column answered what is hidden while it is judged blindly", key="curtain"):
        st.markdown(
            f"{words.plain(', '.join(blind))}: whoever judges should not see it, and whoever has "
            "seen it should not judge. It is shown once the models are told."
        )
        if command_button(
            "Open it all the same",
            "open_answers",
            key="curtain-open",
            icon=":material/visibility:",
            help="Who opened it is told with the verdict.",
        ):
            if session.act("open_answers", snapshot=snapshot.id) is not None:
                st.session_state[_OPENED] = _opened().union(blind)
            st.rerun()
    return False


def _blind(snapshot: Snapshot) -> list[str]:
    return [one.id for one in session.console().lab.judgements.blind(snapshot.id)]


def _opened() -> frozenset[str]:
    found: frozenset[str] = st.session_state.get(_OPENED, frozenset())
    return found
