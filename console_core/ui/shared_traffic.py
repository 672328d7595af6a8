"""A share of an alias' traffic before the cut-over: what is shared out, whom it concerns, and the way to change it."""

from functools import partial

import streamlit as st

from console_core.rollout.cutover import Gate
from console_core.rollout.share import Share
from console_core.rollout.sharing_out import never_shared, pictures_only
from console_core.ui import confirm, panels, session, words
from console_core.ui.alias_moves import cut_over_gate
from console_core.ui.permission import command_button

_WHO = (
    "It concerns only callers that say who they are: applications that send a **key** with each search of this "
    "console, or ask **GET /api/v1/route** which collection to search. A key always gets the same collection. Whoever "
    "searches without one gets **{serves}**."
)
_OFF = "Neither answers yet: the console has no token for programs. docs/search-api.md says how to set one."


def shared_traffic(alias: str, serves: str) -> None:
    """Which share goes elsewhere now, in lines, with the button that ends it; nothing where none does."""
    share = session.console().router.in_force(alias)
    if share is None:
        return
    _given(share)
    for reason in cut_over_gate(share.candidate, serves).reasons:
        st.markdown(f":orange[:material/warning:] {words.plain(reason)}")
    _end_button(share)


def share_card(alias: str, serves: str, target: str, found: Gate) -> None:
    """The share of a candidate, and a field that changes it; `found` is the candidate's gate."""
    console = session.console()
    share, ended = console.router.standing(alias)
    with panels.card("Share of the traffic", caption="Some people get the new model before everybody does."):
        if why := never_shared(console.store, alias):
            st.caption(words.plain(why))
            return
        left, right = st.columns([5, 4], gap="large")
        with left:
            if share is not None:
                _given(share)
            else:
                st.markdown("Nobody gets another collection than the alias serves.")
                if ended:
                    st.caption(words.plain(ended))
            st.caption(_WHO.format(serves=words.plain(serves)))
            if not console.settings.api_token:
                st.caption(f":orange[:material/key_off:] {_OFF}")
        with right:
            if share is not None and share.candidate != target:
                st.caption(words.plain(f"Only one collection can have a share: end that of {share.candidate} first."))
                _end_button(share)
            else:
                _change(alias, target, share, found)


def _given(share: Share) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(f"{share.percent:g} %", icon=":material/call_split:", color="violet")
        st.markdown(f"of the callers with a key get **{words.plain(share.candidate)}**", width="content")
    st.caption(words.plain(f"Since {session.when(share.at)}, by {share.actor}."))
    if only := _pictures_only(share.candidate):
        st.markdown(f":orange[:material/warning:] {words.plain(only)}")


def _pictures_only(candidate: str) -> str:
    console = session.console()
    return pictures_only(console.store, console.models.cards, candidate)


def _change(alias: str, target: str, share: Share | None, found: Gate) -> None:
    now = share.percent if share is not None else 0.0
    if share is not None and not found.open:
        st.warning("The verdict does not count any more. The share stays, and cannot be raised.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        percent = st.number_input(
            "Percent", 0.0, 100.0, now or 10.0, step=5.0, format="%g", key=f"percent-{alias}-{now:g}", width=130
        )
        locked = percent > now and not found.open
        pressed = command_button(
            "Set the share",
            "share",
            key=f"share-{alias}",
            icon=":material/call_split:",
            disabled=percent in (now, 0) or locked,
            help=found.reasons[0] if locked else "That is its share now." if percent == now else "",
        )
        if share is not None:
            _end_button(share)
    if pressed and percent > now:
        confirm.ask(_question(alias, target, percent))
        st.rerun()
    elif pressed:
        _set(alias, target, percent)
        st.rerun()


def _question(alias: str, target: str, percent: float) -> confirm.Question:
    text = (
        f"**{percent:g} %** of the callers of **{words.plain(alias)}** that say who they are will get "
        f"**{words.plain(target)}** from their next search on, the same ones each time. Nothing is moved or deleted; "
        "the share can be ended at any moment."
    )
    if only := _pictures_only(target):
        text += f" :orange[{words.plain(only)}]"
    do = partial(_set, alias, target, percent)
    title = f"Share {words.plain(alias)} out?"
    return confirm.Question(title, text, "Set the share", do, icon=":material/call_split:")


def _set(alias: str, target: str, percent: float) -> None:
    with st.spinner("Looking whether anything was written since it was verified…"):
        done = f"{percent:g} % of the callers of {alias} with a key get {target} now."
        session.act("share", alias=alias, to=target, percent=percent, done=done)


def _end_button(share: Share) -> None:
    if command_button("End the share", "share", key=f"end-share-{share.alias}", icon=":material/call_merge:"):
        session.act("share", alias=share.alias, percent=0, done=f"Everybody gets what {share.alias} serves.")
        st.rerun()
