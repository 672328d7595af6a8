"""One run in detail: where it stands, its books, its throughput, its attempts and its failures."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pandas as pd
import streamlit as st

from console_core.migration.generate import COLUMN, EMBEDDED, TOUCHED
from console_core.migration.ingest import KIND as INGEST
from console_core.migration.ingest import IngestPlan
from console_core.migration.plan import mode_in
from console_core.migration.reembed import DECODERS, REPLACED
from console_core.querylab.finding_duplicates import KIND as DUPLICATES
from console_core.runs.types import ACTIVE, Run, RunState, Sample
from console_core.runs.wording import counted, decoded, titled
from console_core.ui import charts, frame, navigation, panels, session, words
from console_core.ui.collections.duplicates import SHOW
from console_core.ui.live_run import live_run
from console_core.ui.manners import run_manners
from console_core.ui.run_failures import failures
from console_core.ui.verification.verdict import verdict

CHART_TICK = 5.0
"""Seconds between two drawings of the chart while the run works; it is dearer than the figures."""
_STRETCHES = 60
_OUTCOMES = {"": "working", "queued": "outside its hours"}


def run_detail(run: Run) -> None:
    """Draw it; what moves refreshes itself while the run is being worked on."""
    with panels.card(words.plain(run.title), caption=f"{titled(run.kind)} · {words.plain(run.target)}"):
        live_run(run, link=False, books=True)
    run_manners(run)
    if run.kind == "verify" and run.result and run.state is RunState.SUCCEEDED:
        with panels.card("Verdict"):
            verdict(run)
    if run.kind == DUPLICATES:
        icon = ":material/content_copy:"
        navigation.link("collections", "What it has found", icon=icon, collection=run.target, show=SHOW)
    left, right = st.columns([3, 2])
    with left, panels.card("Throughput", caption=f"{counted(run.kind).capitalize()} settled a second"):
        _chart(run)
    with right, panels.card("Facts"):
        _facts(run)
    if run.counts.all_failed or session.console().ledger.failure_counts(run.id):
        failures(run)
    with panels.card("Attempts", caption="Each try from its start to its stop; a resumed run goes on in a new one."):
        _attempts(run)


def _chart(run: Run) -> None:
    def throughput_chart() -> None:
        series = rates(session.console().ledger.samples(run.id))
        if series:
            panels.chart(charts.throughput(series, unit=counted(run.kind)), key=f"throughput-{run.id}")
        else:
            panels.empty_state("Not measured yet", "The rate shows after the first batches.", icon=":material/speed:")

    frame.live(throughput_chart, every=CHART_TICK if run.state in ACTIVE else None)


def rates(samples: Sequence[Sample]) -> list[tuple[datetime, float]]:
    """Pictures a second over at most about 60 stretches of equal length; NaN between attempts, so that the line breaks.

    The first interval of an attempt is its start-up and is left out where there are others.
    """
    series: list[tuple[datetime, float]] = []
    for attempt in dict.fromkeys(sample.attempt for sample in samples):
        own = [sample for sample in samples if sample.attempt == attempt]
        own = own[1:] if len(own) > 2 else own
        steps = [
            (after.at, (after.settled - before.settled) / (after.at - before.at).total_seconds())
            for before, after in pairwise(_thinned(own))
        ]
        series += [(steps[0][0], math.nan)] if series and steps else []
        series += steps
    return series


def _thinned(samples: Sequence[Sample]) -> list[Sample]:
    """Samples of one attempt at least a sixtieth of its time apart, from its first to its last."""
    apart = max((samples[-1].at - samples[0].at) / _STRETCHES, timedelta(milliseconds=200))
    chosen = [samples[0]]
    for sample in samples[1:]:
        if sample.at - chosen[-1].at >= apart:
            chosen.append(sample)
    return chosen


def _facts(run: Run) -> None:
    panels.details(
        {
            "Kind": titled(run.kind),
            "Collection": run.target,
            "Model": run.spec.get("model", ""),
            **_decoding(run),
            **_intake(run),
            **_generated(run),
            "Asked for by": run.created_by,
            "Created": session.when(run.created_at),
            "Started": session.when(run.started_at) if run.started_at else "not yet",
            "Ended": session.when(run.finished_at) if run.finished_at else "not yet",
            "Checkpoint": run.checkpoint,
            "Run": run.id,
        },
        alt="Facts about the run",
    )
    if run.migration:
        navigation.link("migrations", "Its migration", migration=run.migration)


def _decoding(run: Run) -> dict[str, str]:
    """Of a build: how its pictures are decoded, and by whom those were that it embedded."""
    if run.kind not in ("reembed", "ingest"):
        return {}
    decoders = decoded((run.result or {}).get(DECODERS, {}))
    told = {"Decoding mode": mode_in(run.spec).value}
    return {**told, "Pictures decoded": decoders} if decoders else told


def _intake(run: Run) -> dict[str, str]:
    """Of an ingestion: the folder or list, the namespace, and how many pictures had changed."""
    if run.kind != INGEST:
        return {}
    intake = IngestPlan.from_json(run.spec).intake
    location = str(session.console().members.places.path(intake.location))
    replaced = (run.result or {}).get(REPLACED)
    told = {"Pictures from": location, "Namespace": intake.namespace}
    return told | ({"Embedded again": words.number(replaced)} if replaced else {})


def _generated(run: Run) -> dict[str, str]:
    """Of a generation: what it did for those that are in step now, and for which reasons."""
    if run.kind != "generate" or not run.result:
        return {}
    written = run.result[COLUMN]
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in written.items())
    rows = f"{sum(written.values()):,}" + (f" ({reasons})" if reasons else "")
    told = {"Pictures embedded": f"{run.result[EMBEDDED]:,}", "Rows of the column written": rows}
    touched = run.result.get(TOUCHED)
    return told | ({"Rows whose time of change a trigger moved": f"{touched:,}"} if touched else {})


def _attempts(run: Run) -> None:
    attempts = session.console().ledger.attempts(run.id)
    if not attempts:
        st.caption("It has not been tried yet.")
        return
    zone = session.zone()
    rows = [
        {
            "Attempt": attempt.number,
            "Started": attempt.started_at.astimezone(zone),
            "Stopped": attempt.finished_at.astimezone(zone) if attempt.finished_at else None,
            "Outcome": _OUTCOMES.get(attempt.outcome, attempt.outcome),
            "Done in it": attempt.done,
            "Worker": attempt.owner,
        }
        for attempt in attempts
    ]
    moment = st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss")
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, alt="Attempts", column_config={"Started": moment, "Stopped": moment}
    )
    for asked in session.console().ledger.commands(run.id):
        st.caption(words.plain(f"{asked.actor} asked to {asked.verb} it {session.when(asked.at)}."))
