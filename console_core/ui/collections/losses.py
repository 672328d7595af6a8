"""What a collection loses by how it is searched: the newest measurement in words, and the button that measures."""

import pandas as pd
import streamlit as st

from console_core.querylab.losses_report import KIND, LossReport, lost, lost_between, newest_losses
from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui import panels, session, words
from console_core.ui.frame import live
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, run_row
from console_core.vectorstore.types import CollectionInfo

CAPTIONS = "Captions of its pictures"
_SET = "losses-set"


def losses_card(info: CollectionInfo) -> None:
    """Draw it, for a collection that has points."""
    if not info.points:
        return
    text = (
        "What its index and quantization lose of what its vectors would find, for texts and pictures apart. "
        "No model has a part in it."
    )
    with panels.card("Losses of the search", caption=text, key="losses"):
        run = next(iter(session.console().ledger.runs(kinds=(KIND,), target=info.name, limit=1)), None)
        newest = newest_losses(session.console().ledger, info.name)
        if run is not None and run.state in ACTIVE | RESUMABLE:
            _working(run)
        if run is None or run.state not in ACTIVE:
            _choice(info, again=newest is not None)
        if newest is not None:
            _found(info, *newest)
        elif run is None:
            st.caption("Not measured yet. Each query is asked in four ways, one of them exactly; nothing is changed.")


def _choice(info: CollectionInfo, *, again: bool) -> None:
    sets = [one.name for one in session.console().lab.query_sets.all()]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Texts to ask", [CAPTIONS, *sets], key=_SET, width=280) if sets else CAPTIONS
        pressed = command_button(
            "Measure again" if again else "Measure", "measure_losses", key="measure-losses", icon=":material/speed:"
        )
    if pressed:
        asked = "" if chosen == CAPTIONS else str(chosen)
        session.act("measure_losses", collection=info.name, query_set=asked, done="The losses are being measured.")
        st.rerun()


def _working(found: Run) -> None:
    """The measurement while it moves; the page runs again when its state changes."""

    def measuring_losses() -> None:
        run = session.console().ledger.get(found.id)
        if run.state != found.state:
            st.rerun()
        run_row(run)

    live(measuring_losses, every=TICK if found.state in ACTIVE else None)


def _found(info: CollectionInfo, run: Run, report: LossReport) -> None:
    for sentence in report.sentences():
        st.markdown(words.plain(sentence))
    for reason in report.changed_since(info):
        st.markdown(f":orange[:material/history:] {words.plain(reason)} Measure again.")
    if not report.exact:
        table = [
            {
                "Asked by": loss.kind,
                "Queries": loss.queries,
                "Lost of 100": lost(loss.total),
                "95 % interval": lost_between(loss.total),
                "By the index": lost(loss.index),
                "By rounding": lost(loss.quantization),
                "Lost without rescoring": lost(loss.without_rescoring),
            }
            for loss in report.losses
        ]
        st.dataframe(
            pd.DataFrame(table),
            hide_index=True,
            alt="What is lost for each kind of query, in pictures of 100",
        )
    queries = words.count(sum(loss.queries for loss in report.losses), "query", "queries")
    said = [f"Measured {session.when(run.finished_at)}", f"{queries}, the {report.k} nearest of each"]
    said += [f"texts: {words.plain(report.texts_from)}"] if report.texts_from else []
    said += [f"{words.count(report.left_out, 'query', 'queries')} left out"] if report.left_out else []
    st.caption(" · ".join(said))
