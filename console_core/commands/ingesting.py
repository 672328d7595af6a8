"""The command that begins an ingestion."""

from console_core.catalog.folder import EXTENSIONS
from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.ingest import KIND
from console_core.migration.ingesting import Wish
from console_core.runs.types import Lane, Run


def ingest(console: Console, actor: Actor, *, wish: Wish) -> Run:
    """Queue the run that embeds the pictures of a folder or a list into a collection."""
    ingesting = console.ingesting()
    plan = ingesting.kept(ingesting.plan(wish))
    selected = ingesting.catalog(plan).count()
    if not selected:
        raise Refused(
            f"There is no picture in {console.members.places.path(plan.intake.location)}.",
            f"Pictures are files that end in {', '.join(sorted(EXTENSIONS))}; subfolders may have been left out.",
        )
    return console.ledger.submit(
        kind=KIND,
        lane=Lane.ACCELERATOR,
        title=plan.title,
        target=plan.collection,
        spec=plan.as_json(),
        actor=actor.name,
        selected=selected,
        writes=True,
    )
