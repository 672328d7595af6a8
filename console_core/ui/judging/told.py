"""What is told once the models are: which each column is and how its encoder stood, and the files to take along."""

import streamlit as st

from console_core.judging import wording
from console_core.judging.exports import report_files, zipped
from console_core.judging.judgements import Evaluation
from console_core.judging.outcome import EvaluationOutcome
from console_core.ui import panels, session, words


def columns(found: EvaluationOutcome) -> None:
    """The models, and what was recorded of each when it was asked."""
    with panels.card("The models"):
        rows = [
            {
                "Column": one.letter,
                "Collection": one.asked if one.asked == one.collection else f"{one.asked} → {one.collection}",
                "Model": one.model,
                "Searched": f"{one.way}, {one.twin_of}'s twin" if one.twin_of else one.way,
                "Encoder when it was asked": one.fed,
                "Fingerprint": one.fingerprint,
                "Points": one.points,
            }
            for one in found.columns
        ]
        st.dataframe(rows, hide_index=True, height="content", alt="Which model each column is")
        if found.twins:
            st.caption(words.plain(wording.TWINS))


def downloads(evaluation: Evaluation) -> None:
    console = session.console()

    def report() -> bytes:
        return report_files(console.lab, evaluation, console.thumbnails)["report.html"]

    def archive() -> bytes:
        return zipped(report_files(console.lab, evaluation, console.thumbnails))

    with st.container(horizontal=True):
        st.download_button(
            "Report",
            report,
            file_name=f"verdict-{evaluation.id}.html",
            mime="text/html",
            key="verdict-report",
            icon=":material/description:",
            type="primary",
            on_click="ignore",
        )
        st.download_button(
            "All files",
            archive,
            file_name=f"verdict-{evaluation.id}.zip",
            mime="application/zip",
            key="verdict-zip",
            icon=":material/folder_zip:",
            on_click="ignore",
            help="The report, all numbers as JSON and CSV, every judgement, and run and qrels files of TREC.",
        )
