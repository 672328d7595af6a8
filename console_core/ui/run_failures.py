"""The pictures of a run that failed, by class."""

from functools import partial

from console_core.runs.types import Run
from console_core.ui import navigation, panels, session
from console_core.ui.failed_table import PAGE, chosen_class, failed_table, turn
from console_core.ui.session import parameter


def failures(run: Run) -> None:
    """Draw the classes with their numbers, and a page of the chosen class (`kind` and `after` in the address)."""
    ledger = session.console().ledger
    counts = ledger.failure_counts(run.id)
    after = parameter("after")
    everything = partial(
        navigation.link,
        "failures",
        "All failures of this collection",
        icon=":material/arrow_forward:",
        collection=run.target,
    )
    caption = "Each costs only itself; the run went on with its neighbours."
    with panels.card("Failures", caption=caption, aside=everything):
        kind = chosen_class(counts)
        page = ledger.failures(run.id, kind=kind or None, limit=PAGE + 1, after=after)
        failed_table(page[:PAGE])
        turn(page, after=after)
