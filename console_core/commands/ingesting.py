"""The commands that begin an ingestion, and that say of what was ingested that it is gone."""

from console_core.catalog.folder import EXTENSIONS
from console_core.catalog.intake import Intake
from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import NotFound, Refused
from console_core.migration.ingest import KIND
from console_core.migration.ingesting import Wish
from console_core.migration.plan import refuse_batch
from console_core.runs.types import Lane, Run


def ingest(console: Console, actor: Actor, *, wish: Wish) -> Run:
    """Queue the run that embeds the pictures of a folder or a list into a collection."""
    refuse_batch(wish.batch_size)
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


def forget_intake(console: Console, actor: Actor, *, collection: str, intake: str) -> list[Intake]:
    """Say of a folder or a list that was ingested, `NAMESPACE:LOCATION`, that its pictures are to leave a collection
    and all of its line; what was forgotten, every copy of a list.

    No point is deleted by it. Those pictures that no other intake tells are extra from then on, and are deleted as
    any that left the catalog: by a catch-up or a repair, and many only where a person says so.

    Raises:
        CollectionNotFound
        NotFound: nothing of that name was ingested into it.
    """
    name = console.store.describe(collection).name
    known, places = console.intakes.of(name), console.members.places
    namespace, _, location = intake.partition(":")
    plain = places.text(places.path(location)) if location else ""
    gone = [one for one in known if one.namespace == namespace and one.location in (location, plain)]
    if not gone:
        names = ", ".join(dict.fromkeys(one.name for one in known)) or "nothing"
        raise NotFound(f"{intake} was not ingested into {name}.", f"What was: {names}.")
    console.intakes.remove(name, gone)
    return gone
