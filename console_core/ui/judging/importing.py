"""Grades that were given outside of the console, from a file."""

import streamlit as st

from console_core.errors import ConsoleError
from console_core.judging.judgements import Evaluation
from console_core.judging.query_lists import decoded
from console_core.ui import session, words
from console_core.ui.judging.naming import judge_name
from console_core.ui.permission import command_button

_QRELS = "TREC qrels"


def grades_from_file(evaluation: Evaluation) -> None:
    """A sheet that was filled in, or what another console exported."""
    with st.expander(
        "Grades from a file…", icon=":material/upload_file:", key="import-grades", on_change="rerun"
    ) as box:
        if not box.open:
            return
        st.caption(
            "Every grade is marked with the name of its file. `embedding-console grades` writes a sheet to fill in. "
            "Rows without a judge are yours."
        )
        file = st.file_uploader("File", type=["csv", "tsv", "txt", "qrels"], key="grades-file")
        kinds = ("CSV with query, key, grade and judge", _QRELS)
        is_table = file is None or file.name.lower().endswith((".csv", ".tsv"))
        kind = st.radio("What it is", kinds, index=0 if is_table else 1, key=f"grades-kind-{is_table}")
        early = st.checkbox(
            "Also grades from before the protocol was locked",
            key="grades-early",
            help="A protocol that is chosen when grades are known can be chosen for them: the verdict says it then.",
        )
        pressed = command_button(
            "Import", "import_grades", key="grades-import", icon=":material/upload_file:", disabled=file is None
        )
        if pressed and file is not None:
            try:
                told = decoded(file.getvalue())
            except ConsoleError as error:
                session.flash(error.message, error.remedy, kind="error")
                st.rerun()
            session.act(
                "import_grades",
                evaluation=evaluation.id,
                told=told,
                file=file.name,
                qrels=kind == _QRELS,
                judge=judge_name(),
                browser=session.browser(),
                before_lock=early,
                done=lambda taken: f"{words.count(taken, 'grade')} taken.",
            )
            st.rerun()
