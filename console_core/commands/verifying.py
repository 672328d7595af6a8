"""What a person can ask of a collection's contents: verify them, and repair what was found."""

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.ingest import KIND as INGEST
from console_core.migration.plan import built_part
from console_core.migration.repair import RepairPlan
from console_core.migration.verify import VerifyPlan
from console_core.runs.types import Lane, Run, RunState


def verify(console: Console, actor: Actor, *, collection: str, migration: str = "", full: bool = False) -> Run:
    info = console.store.describe(collection)
    if info.stamp is None:
        raise Refused(f"{info.name} does not say which model made it.", "Stamp it on the Collections page first.")
    builds = [run for run in console.ledger.runs(kinds=("reembed",), target=info.name, limit=200) if run.migration]
    ingestions = console.ledger.runs(kinds=(INGEST,), target=info.name, limit=200)
    ingested = any(run.spec["creates"] for run in ingestions)
    ingested = ingested or (not builds and console.intakes.alone(info.name))
    plan = VerifyPlan(
        collection=info.name,
        model=info.stamp.model,
        fingerprint=info.stamp.fingerprint,
        dimension=info.dimension,
        part=built_part(builds),
        replaces=_replaced_by(console, info.name, alone=ingested),
        full=full,
        ours=ingested or any(not run.spec.get("fills") for run in builds),
    )
    return console.ledger.submit(
        kind="verify",
        lane=Lane.ACCELERATOR,
        title=f"Verify {info.name}",
        target=info.name,
        spec=plan.as_json(),
        actor=actor.name,
        migration=migration or (builds[0].migration if builds else ""),
        selected=console.catalog_of(info.name).count(plan.part),
        writes=False,
    )


def repair(
    console: Console, actor: Actor, *, collection: str, run: str = "", delete_extra: bool = False, typed: str = ""
) -> Run:
    """`typed` is the collection's name as a person typed it: asked for where points that are searched now would go."""
    info = console.store.describe(collection)
    verified = console.ledger.runs(kinds=("verify",), target=info.name, states=(RunState.SUCCEEDED,), limit=1)
    if not verified or run not in ("", verified[0].id):
        raise Refused(
            f"{info.name} has a newer verification than {run}." if verified else f"{info.name} was not verified.",
            "Verify it, then repair what was found.",
        )
    found = sum(console.differences.counts(verified[0].id).values())
    if not found:
        raise Refused(
            f"Verification {verified[0].id} found no difference in {info.name}.", "There is nothing to repair."
        )
    if delete_extra and info.aliases and typed != info.name and console.differences.surplus(verified[0].id):
        raise Refused(
            f"{info.name} is searched now, as {', '.join(info.aliases)}: deleting points from it must be confirmed.",
            f"Name the collection itself, {info.name}, to confirm.",
        )
    plan = RepairPlan(verified[0].id, VerifyPlan.from_json(verified[0].spec), delete_extra)
    return console.ledger.submit(
        kind="repair",
        lane=Lane.ACCELERATOR,
        title=f"Repair {info.name}",
        target=info.name,
        spec=plan.as_json(),
        actor=actor.name,
        migration=verified[0].migration,
        selected=found,
        writes=True,
    )


def _replaced_by(console: Console, collection: str, *, alone: bool) -> str:
    """What a collection would replace: what the alias of its migration serves now, else what the only alias serves.

    One that stands `alone`, with pictures of its own that were ingested, replaces nothing but what is of its line.
    """
    aliases = console.store.aliases()
    plans = [migration.plan for migration in console.migrations.all()]
    known = [served for plan in plans if collection in (plan.target, plan.source) if (served := plan.serving(aliases))]
    only = next(iter(aliases.values())) if len(aliases) == 1 else ""
    if alone and only not in console.intakes.line(collection):
        only = ""
    serving = known[0] if known else only
    return "" if serving == collection else serving
