"""What a person can ask of a collection that is replaced: recreate it in place, and retire it at last."""

from datetime import timedelta

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.rollout import recreate as in_place
from console_core.rollout.records import MoveKind
from console_core.rollout.retire import retirement
from console_core.runs.types import Lane, Run


def recreate(console: Console, actor: Actor, *, collection: str, target: str, typed: str = "") -> Run:
    """`typed` is the collection's name as a person typed it: for a moment it leads nowhere.

    Raises:
        CollectionNotFound
        Refused: the name was not typed, or something speaks against it.
    """
    store, migrations = console.store, console.migrations.all()
    reasons = in_place.hindrances(store, console.ledger, console.backups, collection, target, age=console.verdict_age)
    reasons += [shared] if (shared := console.router.gives(collection)) else []
    if reasons:
        raise Refused(f"{collection} cannot be recreated in place: {' '.join(reasons)}", "Settle that, then ask again.")
    console.keeping.keep_in_step()
    lag = console.keeping.lag(target)
    if lag is not None and lag.total:
        raise Refused(
            f"{target} is behind the catalog ({lag}), and {collection} would be with it.",
            f"Wait until it has been caught up, or catch {target} up now; then ask again.",
        )
    _must_be_typed(collection, typed, "For a moment the name will lead nowhere.")
    backup = console.backups.newest_proven(collection)
    assert backup is not None
    taken = {info.name for info in store.collections()} | set(store.aliases())
    plan = in_place.RecreatePlan(
        collection,
        target,
        former=in_place.former_name(collection, taken),
        backup=backup.id,
        actor=actor.name,
        migration=next((one.id for one in migrations if one.plan.target == target), ""),
    )
    return console.ledger.submit(
        kind=in_place.KIND,
        lane=Lane.STORE,
        title=f"Recreate {collection}",
        target=collection,
        spec=plan.as_json(),
        actor=actor.name,
        migration=plan.migration,
        selected=in_place.steps_of(backup.points),
        writes=True,
    )


def retire(
    console: Console, actor: Actor, *, collection: str, typed: str = "", holding_days: float | None = None
) -> Run:
    """`typed` is the collection's name as a person typed it: this deletes.

    Raises:
        CollectionNotFound
        Refused: the name was not typed, or something speaks against it.
    """
    days = console.settings.holding_days if holding_days is None else holding_days
    parts = (console.store, console.ledger, console.moves, console.backups)
    listed, shared = console.listed_collection(), console.router.gives(collection)
    found = retirement(*parts, collection, holding=timedelta(days=days), listed=listed, shared=shared)
    if not found.allowed:
        raise Refused(f"{collection} cannot be retired: {' '.join(found.reasons)}", "Settle that, then ask again.")
    _must_be_typed(collection, typed, f"Its {found.points:,} points will be deleted.")
    return console.ledger.submit(
        kind="retire",
        lane=Lane.STORE,
        title=f"Retire {collection}",
        target=collection,
        spec={"version": 1, "holding_days": days},
        actor=actor.name,
        migration=_migration_of(console, collection),
        selected=found.points,
        writes=True,
    )


def _migration_of(console: Console, collection: str) -> str:
    """The migration that a retirement belongs to: the one that moved traffic away from a collection for the last time,
    else the one that built it; "" where there is neither."""
    plans = {migration.id: migration.plan for migration in console.migrations.all()}
    moves = console.moves.of(limit=1000)
    left = next((move for move in moves if move.before == collection and move.kind is MoveKind.CUT_OVER), None)
    built_by = collection if left is None else left.after
    named = left.migration if left is not None else ""
    return named or next((one for one, plan in plans.items() if plan.target == built_by), "")


def _must_be_typed(collection: str, typed: str, what: str) -> None:
    if typed != collection:
        raise Refused(f"{what} That must be confirmed.", f"Type the name of the collection, {collection}, to confirm.")
