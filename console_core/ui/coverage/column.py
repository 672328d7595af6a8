"""The table's own vectors beside a collection: how many, the comparison, and the button that brings both in step."""

from functools import partial

import streamlit as st

from console_core.commands.generating import Where, forecast_generation
from console_core.coverage.column import ColumnReport
from console_core.coverage.facets import FOLDER
from console_core.coverage.report import OTHER, CoverageReport
from console_core.errors import ConsoleError
from console_core.migration.generating import Forecast
from console_core.runs.manners import MOST_BATCH
from console_core.runs.types import ACTIVE, RESUMABLE, Run, RunState
from console_core.ui import confirm, navigation, panels, session, words
from console_core.ui.coverage.glance import NONE, facet_name, value_name
from console_core.ui.frame import live
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, run_row
from console_core.ui.session import parameter
from console_core.vectorstore.types import CollectionInfo


def embedding_column(info: CollectionInfo, report: CoverageReport) -> None:
    """A card where the catalog has an embedding column, of collections that hold its pictures; nothing elsewhere."""
    column = session.console().embedding_column
    if column is None or info.stamp is None or session.console().intakes.alone(info.name):
        return
    newest = _newest(info)
    works = newest is not None and newest.state in ACTIVE | RESUMABLE and not _in_vain(newest)
    aside = None if works else partial(_button, info, _chosen_group(report))
    caption = f"{column.title}, beside this collection, as it was measured."
    with panels.card("Embedding column", caption=words.plain(caption), aside=aside, key="embedding-column"):
        if report.column is None:
            st.caption("It was not compared with this collection yet: measure again.")
        else:
            _figures(report.column)
        if newest is not None and works:
            _run(newest)
        elif newest is not None and newest.finished_at is not None and newest.finished_at > report.measured_at:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.caption(f"{words.plain(newest.reason)} Measure again to see the figures as they are now.")
                navigation.link("runs", "Its run", run=newest.id)


def _figures(column: ColumnReport) -> None:
    share = column.with_embedding / column.total if column.total else 0
    of = f"of {words.count(column.total, 'row')} under the model's name and of its length"
    with st.grid(5, min_column_width=150):
        _figure("With a vector", words.percent(share), of)
        _figure("The same in both", words.number(column.same), "The column has the collection's vector.")
        _figure("Differing", words.number(column.all_differing), _reasons(column) or "Other vectors, names or lengths.")
        _figure("Only in the store", words.number(column.only_in_store), "The row has no vector.")
        _figure("Only in the column", words.number(column.only_in_column), "The collection has no point.")


def _reasons(column: ColumnReport) -> str:
    ranked = sorted(column.differing.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {reason}" for reason, number in ranked)


def _figure(label: str, value: str, text: str) -> None:
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(label, value)
        st.caption(words.plain(text))


def _button(info: CollectionInfo, where: Where) -> None:
    help = "" if where else "For one group only: click its bar below first."
    if command_button(
        "Generate what is missing", "generate", key="generate", icon=":material/auto_fix_high:", help=help
    ):
        _ask(info, where)
        st.rerun()


def _chosen_group(report: CoverageReport) -> Where:
    """The one value of a facet that was clicked, where the catalog can filter by it; nothing where all are shown."""
    facets = sorted(report.facets, key=lambda facet: facet == FOLDER)
    facet = parameter("by", facets, facets[0] if facets else "")
    told = parameter("value")
    value = "" if told == NONE else told
    known = facet in session.console().catalog.info().facets and value in report.facets[facet] and value != OTHER
    return {facet: (value,)} if told and known else {}


def _ask(info: CollectionInfo, where: Where) -> None:
    """Count what would be done, and ask."""
    try:
        with st.spinner("Counting what is missing…"):
            found = forecast_generation(session.console(), into=info.name, where=where)
    except ConsoleError as error:
        session.flash(error.message, error.remedy, kind="error")
        return
    if found.nothing_to_do:
        session.flash("Nothing is missing. The column and the collection are in step.")
        return
    do = partial(session.act, "generate", into=info.name, where=where, done=f"Generating into {info.name}.")
    group = "".join(f" for {facet_name(facet)} {value_name(value)}" for facet, (value,) in where.items())
    title = f"Generate into {words.plain(info.name)}{words.plain(group)}?"
    icon = ":material/auto_fix_high:"
    confirm.ask(confirm.Question(title, _told(found), "Generate", do, icon=icon, more=_choices))


def _choices() -> dict[str, int]:
    size = st.number_input(
        "Batch size, in pictures (0: as usual)",
        0,
        MOST_BATCH,
        value=0,
        key="generate-batch",
        help="How many pictures are embedded, written and recorded at a time. Usual is as this collection was built.",
    )
    return {"batch_size": int(size)}


def _told(found: Forecast) -> str:
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in found.column.items())
    said = [
        f"**{words.count(found.embed, 'picture')}** will be embedded and written to the collection.",
        f"**{words.count(found.column_rows, 'row')}** of the application's table will be written"
        + (f": {words.plain(reasons)}." if reasons else "."),
    ]
    if found.undecided:
        rows = words.count(found.undecided, "row")
        said.append(f"{rows} can be compared only once their pictures are embedded.")
    if found.embed:
        said.append("Pictures that cannot be read are listed, and their rows stay as they are.")
    return "\n\n".join(said)


def _newest(info: CollectionInfo) -> Run | None:
    newest = session.console().ledger.runs(kinds=("generate",), target=info.name, limit=1)
    return newest[0] if newest else None


def _in_vain(run: Run) -> bool:
    """Whether every picture failed: there is nothing to resume, and another run may be started."""
    return run.state is RunState.FAILED and not run.counts.pending


def _run(found: Run) -> None:
    """The run while it moves; the page runs again when its state changes."""

    def generation() -> None:
        run = session.console().ledger.get(found.id)
        if run.state != found.state:
            st.rerun()
        run_row(run)

    live(generation, every=TICK if found.state in ACTIVE else None)
