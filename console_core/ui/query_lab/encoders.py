"""Whether each column's model is fed rightly, as far as that was checked, and which samples percentiles are among."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import streamlit as st

from console_core.errors import StoreError
from console_core.querylab.comparison import ColumnResult, Comparison
from console_core.querylab.encoder_check import KIND
from console_core.querylab.encoder_report import Finding, Level
from console_core.querylab.encoder_standing import Standing, standing
from console_core.querylab.rankings import Query
from console_core.runs.types import ACTIVE, Run, RunState
from console_core.ui import navigation, session, words
from console_core.ui.live_run import live_run
from console_core.ui.permission import command_button
from console_core.ui.query_lab.answers import distinct_titles

_CHECKED = words.Word("Encoder checked", "green", ":material/verified:")
_FAULTY = words.Word("Encoder faulty", "red", ":material/report:")
_STALE = words.Word("Encoder check out of date", "orange", ":material/history:")
_UNCHECKED = words.Word("Encoder not checked", "gray", ":material/help:")
_LEVELS = {Level.RED: words.severity("block"), Level.WARN: words.severity("warn"), Level.INFO: words.severity("info")}


@dataclass(frozen=True, slots=True)
class Encoder:
    """What is known of a column's encoder. `under_way` is a check that waits or is at work, `newest` the last one that
    was begun, however it ended."""

    collection: str
    title: str
    standing: Standing | None
    newest: Run | None

    @property
    def under_way(self) -> Run | None:
        return self.newest if self.newest is not None and self.newest.state in ACTIVE else None

    @property
    def word(self) -> words.Word:
        if self.standing is None:
            return _UNCHECKED
        if self.standing.stale:
            return _STALE
        return _CHECKED if self.standing.report.is_green else _FAULTY


def encoders(comparison: Comparison) -> list[Encoder | None]:
    """For each column; None where it says of no model that it made it."""
    opened, known = session.console(), dict[str, Encoder]()
    found: list[Encoder | None] = []
    for result, title in zip(comparison.columns, distinct_titles(comparison), strict=True):
        info = result.collection
        if info is None or info.stamp is None:
            found.append(None)
            continue
        if info.name not in known:
            newest = opened.ledger.runs(kinds=(KIND,), target=info.name, limit=1)
            standing_now = None
            with suppress(StoreError):  # the column says so itself
                standing_now = standing(opened.store, opened.ledger, opened.models, info.name)
            known[info.name] = Encoder(info.name, title, standing_now, newest[0] if newest else None)
        found.append(known[info.name])
    return found


def warn(comparison: Comparison, known: Sequence[Encoder | None]) -> None:
    """One line over the answers while what is compared may be a fault and no model; nothing where all is green."""
    answered = [
        encoder
        for encoder, result in zip(known, comparison.columns, strict=True)
        if encoder is not None and result.error is None
    ]
    shown = list({encoder.collection: encoder for encoder in answered}.values())
    faulty = [encoder for encoder in shown if encoder.word is _FAULTY]
    if faulty:
        st.error(
            f"{_and(faulty)}: what differs below may be that fault, and no property of a model. See the badge.",
            title="An encoder was found faulty",
            icon=_FAULTY.icon,
        )
    open_ones = [encoder for encoder in shown if encoder.word in (_UNCHECKED, _STALE)]
    if open_ones and len(answered) > 1:
        st.warning(
            f"{_and(open_ones)}: the encoder is not checked. What differs below may be a fault of it, and no property "
            "of a model.",
            icon=":material/help:",
        )


def strip(comparison: Comparison, known: Sequence[Encoder | None], asked: Query | None) -> None:
    """A row over the answers: each column's badge, which opens what was found, its sample, and how sure its model is of
    what was `asked`, where that can be compared with questions of a query set."""
    for place, (cell, result) in enumerate(zip(st.columns(len(known)), comparison.columns, strict=True)):
        encoder = known[place]
        if encoder is None:
            continue
        beside = len(known) <= 2
        with cell, st.container(horizontal=beside, vertical_alignment="center", gap="small" if beside else None):
            label = f":{encoder.word.colour}[{encoder.word.icon}] {encoder.word.label}"
            with st.popover(label, type="tertiary", key=f"lab-encoder-{place}", on_change="rerun") as box:
                if box.open:
                    _card(encoder, place)
            _sample(result, place)
            if asked is not None:
                _sureness(result, asked)
    for run in _under_way(comparison, known):
        with st.container(border=True):
            live_run(run)


def _card(encoder: Encoder, place: int) -> None:
    st.markdown(f"**{words.plain(encoder.title)}** · {words.badge(encoder.word)}")
    now = encoder.standing
    if now is None:
        st.caption(
            "Before two models are compared, a check embeds at least 50 stored pictures again, holds captions against "
            "them, and compares the loaded model with its files."
        )
    else:
        told = now.report.compared
        st.caption(
            f"{told.agreeing:,} of {told.pictures:,} pictures that were embedded again agree with what is stored. "
            f"Checked {session.when(now.run.finished_at)}."
        )
        for reason in now.stale:
            st.markdown(f":orange[:material/history:] {words.plain(reason)}")
        for finding in now.report.findings:
            _finding(finding)
        navigation.link("runs", "The run of this check", run=now.run.id)
    newest = encoder.newest
    if newest is not None and newest.state in (RunState.FAILED, RunState.INVALID):
        st.markdown(f":red[:material/error:] The newest check failed: {words.plain(newest.reason)}")
        navigation.link("runs", "The run that failed", run=newest.id)
    if encoder.under_way is not None:
        st.caption("A check is under way.")
        return
    label = "Check the encoder" if now is None else "Check it again"
    if command_button(label, "check_encoder", key=f"lab-check-{place}", icon=":material/fact_check:", kind="primary"):
        session.act("check_encoder", collection=encoder.collection, done="The check is begun.")
        st.rerun()


def _finding(finding: Finding) -> None:
    word = _LEVELS[finding.level]
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f":{word.colour}[{word.icon}] **{words.plain(finding.title)}**")
        st.markdown(words.plain(finding.message))
        if finding.remedy:
            st.caption(f"What to do: {words.plain(finding.remedy)}")


def _sample(result: ColumnResult, place: int) -> None:
    """What percentiles are among; where the sample must be drawn first, a button that has it drawn."""
    info = result.collection
    if result.sampled:
        whole = "all " if info is not None and result.sampled >= info.points else ""
        st.caption(f"Percentiles among {whole}{words.count(result.sampled, 'picture')}", width="content")
    elif info is not None and result.error is None and session.console().samples.needs_drawing(info):
        st.caption("No percentiles yet: the sample of a collection of this size is drawn by a run.", width="content")
        begin = partial(session.act, "draw_sample", collection=info.name, done="The sample is being drawn.")
        if _drawing(info.name) is None and command_button(
            "Draw the sample", "draw_sample", key=f"lab-sample-{place}", icon=":material/casino:", kind="tertiary"
        ):
            begin()
            st.rerun()


def _sureness(result: ColumnResult, asked: Query) -> None:
    if result.collection is None or not result.answers:
        return
    found = session.console().lab.firsts.sureness(result.collection, asked, result.answers[0].score)
    if found is not None:
        st.caption(
            f"Surer of it than of {words.percent(found.share)} of {found.questions:,} questions",
            width="content",
            help=words.plain(
                f"How sure this model is of this question: the share of the questions of {found.set_name} "
                f"v{found.set_version} whose first answer scores lower in the same model. A percentile is among the "
                "pictures of one question and high for any first answer; this is among questions. It compares across "
                "columns. Low says that the model found little, high is no proof."
            ),
        )


def _drawing(collection: str) -> Run | None:
    found = session.console().ledger.runs(kinds=("sample",), target=collection, limit=1)
    return found[0] if found and found[0].state in ACTIVE else None


def _under_way(comparison: Comparison, known: Sequence[Encoder | None]) -> Iterator[Run]:
    """Checks and drawings of these columns that wait or are at work, each once."""
    runs = {encoder.under_way.id: encoder.under_way for encoder in known if encoder and encoder.under_way}
    for result in comparison.columns:
        if result.collection is not None and not result.sampled and (run := _drawing(result.collection.name)):
            runs[run.id] = run
    yield from runs.values()


def _and(some: Sequence[Encoder]) -> str:
    return " and ".join(words.plain(encoder.title) for encoder in some)
