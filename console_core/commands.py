"""Every change that a person can cause, from a page, the command line or HTTP: one function, one table.

A command is validated, checked against the actor's role, done, and written into the journal with its outcome.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console_core.catalog.types import EVERYTHING, Slice
from console_core.console import Console
from console_core.errors import ConsoleError, LedgerUnavailable, NotAllowed, NotFound, Refused
from console_core.migration.findings import Preflight, Request, Severity
from console_core.migration.preflight import preflight
from console_core.migration.records import Migration
from console_core.migration.repair import RepairPlan
from console_core.migration.stamp import stamp
from console_core.migration.verify import VerifyPlan
from console_core.rollout import cutover
from console_core.rollout.records import Move
from console_core.runs.types import Lane, Run, RunState, Verb
from console_core.settings import ROLES, Role
from console_core.vectorstore.types import ModelStamp


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: the name that the journal keeps, and the role that decides what is allowed."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Started:
    """A migration that was begun, and its build run."""

    migration: Migration
    run: Run
    preflight: Preflight


def command(console: Console, actor: Actor, name: str, **arguments: Any) -> Any:
    """Do what a person asked for; the result is that of the command.

    Raises:
        NotFound: no such command, or its subject does not exist.
        NotAllowed: the role is too low.
        ConsoleError: the command could not be done. Nothing was changed, and the journal says why, unless it is the
            ledger itself that cannot be written.
    """
    known = COMMANDS.get(name)
    if known is None:
        raise NotFound(f"There is no command {name}.", f"Known commands: {', '.join(COMMANDS)}.")
    subject = known.subject(arguments)
    try:
        if ROLES.index(actor.role) < ROLES.index(known.role):
            raise NotAllowed(
                f"{actor.name} has the role {actor.role}, and {name.replace('_', ' ')} needs {known.role}.",
                "Ask somebody with that role.",
            )
        if console.owner is None:
            raise Refused("This process only looks at the workspace.", "Use the console that owns it.")
        result = known.act(console, actor, **arguments)
    except LedgerUnavailable:
        raise
    except ConsoleError as error:
        with contextlib.suppress(LedgerUnavailable):  # what went wrong first is what the person must be told
            console.ledger.note(actor.name, name, subject, detail=error.message, outcome="refused")
        raise
    console.ledger.note(actor.name, name, subject, detail=_detail(result))
    if console.worker is not None:
        console.worker.wake()
    return result


def _start_migration(console: Console, actor: Actor, *, request: Request) -> Started:
    found = preflight(console.preflight_parts(), request)
    if found.plan is None:
        blocking = [finding for finding in found.findings if finding.severity is Severity.BLOCK]
        remedies = dict.fromkeys(finding.remedy for finding in blocking if finding.remedy)
        raise Refused(
            " ".join(finding.message for finding in blocking) or "The preflight made no plan.",
            " ".join(remedies) or "Mend what blocks, then start again.",
        )
    with console.migrations.created(found.plan, actor.name) as migration:
        run = console.ledger.submit(
            kind="reembed",
            lane=Lane.ACCELERATOR,
            title=found.plan.title,
            target=found.plan.target,
            spec=found.plan.as_json(),
            actor=actor.name,
            migration=migration.id,
            selected=found.selected,
            writes=True,
        )
    return Started(migration, run, found)


def _ask(verb: Verb) -> Callable[..., Run]:
    def act(console: Console, actor: Actor, *, run: str) -> Run:
        return console.ledger.ask(run, verb, actor.name)

    return act


def _verify(console: Console, actor: Actor, *, collection: str, migration: str = "", full: bool = False) -> Run:
    info = console.store.describe(collection)
    if info.stamp is None:
        raise Refused(f"{info.name} does not say which model made it.", "Stamp it on the Collections page first.")
    builds = [run for run in console.ledger.runs(kinds=("reembed",), target=info.name, limit=200) if run.migration]
    plan = VerifyPlan(
        collection=info.name,
        model=info.stamp.model,
        fingerprint=info.stamp.fingerprint,
        dimension=info.dimension,
        part=_built_part(builds),
        replaces=_replaced_by(console, info.name),
        full=full,
        ours=any(not run.spec.get("fills") for run in builds),
    )
    return console.ledger.submit(
        kind="verify",
        lane=Lane.ACCELERATOR,
        title=f"Verify {info.name}",
        target=info.name,
        spec=plan.as_json(),
        actor=actor.name,
        migration=migration or (builds[0].migration if builds else ""),
        selected=console.catalog.count(plan.part),
        writes=False,
    )


def _repair(
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


def _built_part(builds: Sequence[Run]) -> Slice:
    """The slice that was built; everything where several different ones were, or none."""
    parts = [Slice.from_json(run.spec["part"]) for run in builds if run.counts.done]
    return parts[0] if parts and all(part == parts[0] for part in parts) else EVERYTHING


def _replaced_by(console: Console, collection: str) -> str:
    """What a collection would replace: what the alias of its migration serves now, else what the only alias serves."""
    aliases = console.store.aliases()
    plans = [migration.plan for migration in console.migrations.all()]
    known = [plan.alias for plan in plans if collection in (plan.target, plan.source) and plan.alias in aliases]
    wanted = known or (list(aliases) if len(aliases) == 1 else [])
    serving = aliases[wanted[0]] if wanted else ""
    return "" if serving == collection else serving


def _measure_coverage(console: Console, actor: Actor, *, collection: str) -> Run:
    info = console.store.describe(collection)
    waiting = console.ledger.runs(kinds=("coverage",), target=info.name, states=(RunState.QUEUED, RunState.RUNNING))
    if waiting:
        return waiting[0]
    return console.ledger.submit(
        kind="coverage",
        lane=Lane.STORE,
        title=f"Coverage of {info.name}",
        target=info.name,
        spec={"version": 1},
        actor=actor.name,
        selected=console.catalog.count(),
        writes=False,
    )


def _stamp(
    console: Console,
    actor: Actor,
    *,
    collection: str,
    model: str,
    unchecked: bool = False,
) -> ModelStamp:
    info = console.store.describe(collection)
    embedder = console.models.get(model)
    return stamp(console.store, console.catalog, console.images, embedder, info, unchecked=unchecked)


def _introduce_alias(console: Console, actor: Actor, *, alias: str, collection: str) -> Move:
    return cutover.introduce_alias(console.store, console.moves, alias, collection, actor=actor.name)


def _cut_over(
    console: Console, actor: Actor, *, alias: str, to: str, migration: str = "", accept_losses: bool = False
) -> Move:
    return cutover.cut_over(
        console.store,
        console.ledger,
        console.moves,
        alias,
        to,
        actor=actor.name,
        migration=migration,
        accept_losses=accept_losses,
        age=timedelta(hours=console.settings.verdict_hours),
    )


def _roll_back(console: Console, actor: Actor, *, alias: str) -> Move:
    return cutover.roll_back(console.store, console.moves, alias, actor=actor.name)


@dataclass(frozen=True, slots=True)
class _Command:
    act: Callable[..., Any]
    role: Role
    named_by: str

    def subject(self, arguments: Mapping[str, Any]) -> str:
        value = arguments.get(self.named_by, "")
        return value.served if isinstance(value, Request) else str(value)


COMMANDS: Mapping[str, _Command] = {
    "start_migration": _Command(_start_migration, "operator", "request"),
    "pause": _Command(_ask(Verb.PAUSE), "operator", "run"),
    "resume": _Command(_ask(Verb.RESUME), "operator", "run"),
    "cancel": _Command(_ask(Verb.CANCEL), "operator", "run"),
    "verify": _Command(_verify, "operator", "collection"),
    "repair": _Command(_repair, "operator", "collection"),
    "measure_coverage": _Command(_measure_coverage, "operator", "collection"),
    "stamp": _Command(_stamp, "admin", "collection"),
    "introduce_alias": _Command(_introduce_alias, "operator", "alias"),
    "cut_over": _Command(_cut_over, "admin", "alias"),
    "roll_back": _Command(_roll_back, "admin", "alias"),
}


def _detail(result: Any) -> str:
    match result:
        case Started(migration, run, found):
            return f"{migration.id}, run {run.id}: {found.selected:,} pictures into {found.target}"
        case Run():
            return f"run {result.id} is {result.state}"
        case Move():
            return f"{result.before or 'nothing'} → {result.after}"
        case ModelStamp():
            return f"{result.model} {result.fingerprint}"
        case _:
            return ""
