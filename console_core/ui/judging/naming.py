"""Who judges in this browser, and that nobody goes on in another judge's name without noticing."""

import streamlit as st

from console_core.judging.judgements import Evaluation
from console_core.ui import navigation, panels, session, words
from console_core.ui.address import from_address, kept, write_address
from console_core.ui.permission import command_button
from console_core.ui.unrestored import one_of, say, strangers

JUDGE = "judge"
"""The parameter of the address that has who judges. It stays there from one view of judging to the next."""
_NAME = "judge-name"


def say_what_is_left_out() -> None:
    """What of the address cannot be shown while judging is blind."""
    say([*strangers({"evaluation", "view", JUDGE}), *one_of("view", ("verdict",), "what there is to judge is shown")])


def judge_name() -> str:
    """Who judges in this browser: who signed in; else the name in the address, or that of the settings."""
    visitor = session.actor()
    return visitor.name if visitor.known else words.one_line(session.parameter(JUDGE)) or visitor.name


def who_judges(evaluation: Evaluation) -> None:
    """A field for the judge's name, where the console does not know it; and the way to the verdict."""
    if not session.actor().known:
        from_address(_NAME, JUDGE, session.actor().name)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if session.actor().known:
            st.caption(words.plain(f"Judging as {judge_name()}"), width=320)
        else:
            st.text_input(
                "Judging as",
                key=_NAME,
                width=320,
                on_change=write_address,
                args=({JUDGE: _NAME},),
                kwargs={"usual": {JUDGE: session.actor().name}},
                help="Each judge needs a name of their own, and is led through everything. "
                "Their agreement is measured.",
            )
        shown = {"evaluation": evaluation.id, "view": "verdict", **kept(JUDGE)}
        navigation.link("judging", "To the verdict", icon=":material/balance:", **shown)


def asks_who_it_is(evaluation: Evaluation) -> bool:
    """Ask whether whoever sits here is the judge of that name who has judged elsewhere; False where that is clear."""
    lab, judge = session.console().lab, judge_name()
    if session.actor().known or not lab.judge_browsers.is_others(evaluation.id, judge, session.browser()):
        return False
    if evaluation.way == "grades":
        said = f"has graded {words.count(len(lab.graded.of(evaluation.id, judge)), 'picture')} here"
    else:
        said = f"has given {words.count(len(lab.judgements.votes(evaluation.id, judge)), 'vote')} here"
    with panels.card(words.plain(f"Are you {judge}?"), key="who-judges"):
        st.markdown(words.plain(f"{judge} {said}, in another browser or from a file."))
        st.caption("If you are somebody else, type a name of your own below: then you begin at the beginning.")
        if command_button(
            words.plain(f"Yes, I am {judge}"),
            "take_up_name",
            key="take-up-name",
            icon=":material/person_check:",
        ):
            session.act("take_up_name", evaluation=evaluation.id, judge=judge, browser=session.browser())
            st.rerun()
    return True
