"""Which backups may go: the rule of console.toml, and the button that applies it."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from console_core.backup.backups import Backup
from console_core.ui import confirm, panels, session, words
from console_core.ui.permission import denied

_RULE = "[backups]\nkeep = 3   # proven backups of each collection"


def retention(backups: Sequence[Backup]) -> None:
    """What is kept, and what is more than that."""
    console = session.console()
    keep = console.settings.backups.keep
    with panels.card("Retention", key="retention"):
        if not keep:
            st.caption("Every backup is kept until somebody deletes it. To keep only the newest, add to console.toml:")
            st.code(_RULE, language="toml")
            return
        surplus = [
            one for name in {backup.collection for backup in backups} for one in console.backups.surplus(name, keep)
        ]
        st.caption(
            f"After each proof the newest {words.count(keep, 'proven backup')} of its collection and everything newer "
            "stay; older ones are deleted. The only proven one never goes."
        )
        if not surplus:
            st.caption(":material/check: Nothing is more than that.")
            return
        size = words.size(sum(backup.bytes for backup in surplus))
        reason = denied("prune_backups")
        st.button(
            f"Delete {words.count(len(surplus), 'older backup')}…",
            icon=":material/auto_delete:",
            key="prune",
            disabled=bool(reason),
            help=reason or None,
            on_click=confirm.ask,
            args=(_question(surplus, size),),
        )


def _question(surplus: Sequence[Backup], size: str) -> confirm.Question:
    names = "\n".join(f"- {words.plain(backup.id)}" for backup in surplus[:10])
    more = f"\n- and {len(surplus) - 10:,} more" if len(surplus) > 10 else ""
    return confirm.Question(
        title="Delete older backups?",
        text=f"{size} become free. The collections themselves are not touched.\n\n{names}{more}",
        action="Delete them",
        do=partial(session.act, "prune_backups", done="The older backups are deleted."),
        icon=":material/auto_delete:",
        keep="Keep them",
    )
