"""What can be taken along of an evaluation whose models were told."""

import streamlit as st

from console_core.judging.exports import report_files, zipped
from console_core.judging.judgements import Evaluation
from console_core.ui import session


def downloads(evaluation: Evaluation) -> None:
    """The report, and all files; made when somebody asks for them."""
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
