"""A new query set, or the next version of one: typed, from a file, or captions of the catalog."""

from collections.abc import Sequence

import streamlit as st

from console_core.errors import ConsoleError
from console_core.judging.estimate import needed
from console_core.judging.protocol import Protocol
from console_core.judging.query_files import Format, format_of, read_questions, repeated
from console_core.judging.query_lists import from_captions
from console_core.judging.query_sets import distinct, query
from console_core.querylab.rankings import Query
from console_core.ui import session, words
from console_core.ui.judging.beginning import SPREAD
from console_core.ui.permission import command_button

_CAPTIONS, _TYPED, _FILE = "Captions of the catalog", "Typed", "A file"
_WAYS = (_CAPTIONS, _TYPED, _FILE)
_KINDS = {
    Format.LINES: "A question on each line",
    Format.CSV: "CSV with columns query, tags",
    Format.LOG: "A search log",
}


def new_set(*, name: str = "", queries: Sequence[Query] = (), open_first: bool = False) -> None:
    """A form that saves; with `name` the next version of that set, which begins with its questions."""
    title = "Change it…" if name else "New query set…"
    with st.expander(
        title, icon=":material/playlist_add:", expanded=open_first, key=f"new-set-{name}", on_change="rerun"
    ) as box:
        if not box.open:
            return
        if name:
            _typed(name, queries)
            return
        way = st.segmented_control(
            "Questions", _WAYS, default=_CAPTIONS, required=True, key="set-way", label_visibility="collapsed"
        )
        if way == _TYPED:
            _typed("", ())
        elif way == _FILE:
            _file()
        else:
            _captions()


def _named(name: str) -> str:
    if name:
        return name
    return st.text_input("Name", key="set-name", placeholder="everyday searches").strip()


def _typed(name: str, queries: Sequence[Query]) -> None:
    lines = "\n".join(
        f"{one.text}  #{' #'.join(one.tags)}" if one.tags else one.text for one in queries if one.text and not one.like
    )
    wanted = _named(name)
    told = st.text_area(
        "Questions, one on each line",
        value=lines,
        height=200,
        key=f"set-typed-{name}",
        placeholder="a red car\na fox in the snow  #animals",
        help="Tags may follow a question, each behind two spaces and #.",
    )
    pictured = {one.text: one for one in queries if one.like}
    kept = list(pictured.values())
    typed = [one for one in map(_tagged, filter(str.strip, told.splitlines())) if one.text not in pictured]
    _save(wanted, [*typed, *kept], "typed")


def _tagged(line: str) -> Query:
    text, *tags = line.split("  #")
    return query(text, tags=[tag for part in tags for tag in part.split(" #")])


def _file() -> None:
    wanted = _named("")
    file = st.file_uploader("File", type=["txt", "csv", "tsv", "json", "jsonl", "log"], key="set-file")
    if file is None:
        return
    likely, kinds = format_of(file.name), list(_KINDS)
    kind = st.radio(
        "What it is", kinds, index=kinds.index(likely), format_func=_KINDS.__getitem__, key=f"set-kind-{likely}"
    )
    try:
        read = read_questions(file.getvalue(), kind or likely)
    except ConsoleError as error:
        st.error(words.plain(error.remedy), title=words.plain(error.message), icon=":material/error:")
        return
    found = read.questions
    said = (
        f"{words.count(len(distinct(found)), 'question')}, such as: {found[0].label}"
        if found
        else "There is no question in it."
    )
    st.caption(words.plain(f"{said}. {read.text}" if found and read.text else said))
    _save(wanted, found, file.name)


def _captions() -> None:
    wanted = _named("")
    left, _ = st.columns([1, 3])
    number = left.number_input("How many", min_value=10, max_value=1000, value=150, step=10, key="set-captions")
    usual = Protocol()
    enough = needed(SPREAD, usual.margin, usual.confidence)
    st.caption(
        "An even sample of what the pictures of the catalog are called. With the usual margin and spread "
        f"{enough:,} questions show with a chance of 80 % that an equally good model is not worse."
    )
    pressed = command_button(
        "Save", "save_query_set", key="set-save", kind="primary", icon=":material/save:", disabled=not wanted
    )
    if pressed:
        with st.spinner("Reading captions…"):
            found = from_captions(session.console().catalog.rows(), most=int(number))
        if not found:
            session.flash(
                "No picture of the catalog has a caption.",
                "Type questions instead, or name a caption among the payload of the catalog.",
                kind="error",
            )
        else:
            _do(wanted, found, "captions of the catalog")
        st.rerun()


def _save(name: str, found: Sequence[Query], origin: str) -> None:
    pressed = command_button(
        "Save",
        "save_query_set",
        key="set-save",
        kind="primary",
        icon=":material/save:",
        disabled=not name or not found,
    )
    if pressed:
        _do(name, found, origin)
        st.rerun()


def _do(name: str, found: Sequence[Query], origin: str) -> None:
    session.act(
        "save_query_set",
        query_set=name,
        queries=found,
        origin=origin,
        done=lambda made: f"{made.label} has {words.count(made.size, 'question')}. {repeated(found)}".strip(),
    )
