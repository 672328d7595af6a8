"""From a gap to the run that fills it: the wizard, with the collection itself as its target."""

from collections.abc import Callable
from functools import partial

from console_core.coverage.report import CoverageReport
from console_core.migration.plan import MigrationPlan
from console_core.ui import navigation
from console_core.ui.session import console
from console_core.ui.wizard.draft import IN_PLACE
from console_core.vectorstore.types import CollectionInfo


def filling(info: CollectionInfo, report: CoverageReport) -> Callable[[], None] | None:
    """A link to the prepared wizard; None where nothing is missing or nobody knows which model would fill it.

    Failed pictures are tried again too, so that a repaired file finds its way in.
    """
    if info.stamp is None or not any(report.totals[status] for status in ("missing", "stale", "failed")):
        return None
    plan = _plan_of(info.name)
    served = info.aliases[0] if info.aliases else plan.served_as if plan else info.name
    return partial(
        navigation.link,
        "migrations",
        "Fill the gaps",
        icon=":material/arrow_forward:",
        view="new",
        served=served,
        switch=IN_PLACE if plan is not None and plan.in_place else "",
        model=info.stamp.model,
        target=info.name,
        mode=info.stamp.preprocess,
    )


def _plan_of(collection: str) -> MigrationPlan | None:
    """The plan of the migration that built a collection; None where there was none."""
    plans = (migration.plan for migration in console().migrations.all())
    return next((plan for plan in plans if plan.target == collection), None)
