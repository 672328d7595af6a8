"""What of an address the query lab cannot restore."""

from collections.abc import Iterator

import streamlit as st

from console_core.querylab.question import MOST_TERMS
from console_core.ui.address import SHOW
from console_core.ui.open_picture import OPEN
from console_core.ui.payload_filter import ONLY
from console_core.ui.query_lab import fields, parts
from console_core.ui.query_lab.encoders import ENCODER
from console_core.ui.query_lab.question import Question
from console_core.ui.query_lab.results import GONE
from console_core.ui.unrestored import say, strangers, unopened

_KNOWN = {*fields.FIELDS, "like", "picture", "view", OPEN, SHOW}


def say_what_is_left_out(question: Question) -> None:
    """One warning with all that is left out of the answers below, and why; nothing where all of it is there."""
    say(_left_out(question))


def _left_out(question: Question) -> Iterator[str]:
    yield from strangers(_KNOWN, beginning=ONLY)
    if view := st.query_params.get("view", ""):
        yield f"There is no view {view}: what is asked is shown."
    if question.digest and question.picture is None:
        yield "The picture that it asks with is not kept any more: give it again. The words are asked without it."
    if question.like and st.query_params.get("picture"):
        yield "It names two pictures. The one of the collection is asked with, and not the one that was given."
    named = list(dict.fromkeys(filter(None, st.query_params.get_all("columns"))))
    if len(named) > fields.MOST_COLUMNS:
        rest = ", ".join(named[fields.MOST_COLUMNS :])
        yield f"At most {fields.MOST_COLUMNS} columns stand side by side, and it names {len(named)}. Left out: {rest}."
    limit = st.query_params.get("limit", "")
    if limit and limit not in fields.LIMITS:
        yield f"It asks for {limit} answers, which is none of {', '.join(fields.LIMITS)}: {question.limit} are shown."
    weight = st.query_params.get("weight", "")
    if weight and weight not in parts.WEIGHTS:
        yield f"It gives words a share of {weight}, which is none from 0 to 100 % in steps of 5: it is 50 %."
    turned_from = list(dict.fromkeys(filter(None, st.query_params.get_all("not"))))
    if len(turned_from) > MOST_TERMS:
        yield f"It turns away from {len(turned_from)} texts. The first {MOST_TERMS} of them are asked."
    yield from unopened({GONE, *(f"{ENCODER}{place + 1}" for place in range(len(question.columns)))})
