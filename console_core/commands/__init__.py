"""Every change that a person can cause, from a page, the command line or HTTP: one function, one table.

A command is validated, checked against the actor's role, done, and written into the journal with its outcome.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console_core.backup.backups import Backup
from console_core.backup.requests import clean_up
from console_core.catalog.intake import Intake
from console_core.commands import backups, generating, judging, replacing, verifying
from console_core.commands.actor import Actor as Actor
from console_core.commands.calibrating import draw_sample
from console_core.commands.changing_settings import SettingsChanged, change_settings
from console_core.commands.checking_encoder import check_encoder
from console_core.commands.duplicates import find_duplicates
from console_core.commands.ingesting import forget_intake, ingest
from console_core.commands.looking import look_once
from console_core.commands.making import create_collection
from console_core.commands.measuring_losses import measure_losses
from console_core.commands.moving_store import StoreMoved, move_store
from console_core.commands.sharing_out import share
from console_core.commands.starting import Started as Started
from console_core.commands.starting import start_migration, start_migrations
from console_core.console import Console
from console_core.errors import ConsoleError, LedgerUnavailable, NotAllowed, NotFound, Refused
from console_core.following.records import Follow, Lag
from console_core.judging.judgements import Evaluation
from console_core.judging.query_sets import QuerySet
from console_core.judging.wording import locked
from console_core.migration.findings import Request
from console_core.migration.ingesting import Wish
from console_core.migration.making import Making
from console_core.migration.retrying import quarantine, release, submit_retry
from console_core.migration.stamp import stamp
from console_core.rollout import cutover
from console_core.rollout.records import Move
from console_core.rollout.recreate import take_back
from console_core.rollout.share import Share
from console_core.runs.manners import Manners
from console_core.runs.manners_records import DEFAULTS, MannersChange
from console_core.runs.types import Lane, Run, RunState, Verb
from console_core.runs.wording import count
from console_core.settings import Role, reaches
from console_core.vectorstore.types import ModelStamp


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
        refuse_low_role(actor, name)
        if console.owner is None:
            raise Refused("This process only looks at the workspace.", "Use the console that owns it.")
        result = known.act(console, actor, **arguments)
    except LedgerUnavailable:
        raise
    except ConsoleError as error:
        with contextlib.suppress(LedgerUnavailable):  # what went wrong first is what the person must be told
            console.ledger.note(actor.name, name, subject, detail=error.message, outcome="refused")
        raise
    if not subject and isinstance(result, Run):
        subject = result.target
    if not known.recorded:
        console.ledger.note(actor.name, name, subject, detail=_detail(result, known.counts))
    if console.worker is not None:
        console.worker.wake()
    return result


def refuse_low_role(actor: Actor, name: str) -> None:
    """As the command itself does before anything else; for a dry run of it.

    Raises:
        NotAllowed: the role is too low.
    """
    needed = COMMANDS[name].role
    if not reaches(actor.role, needed):
        raise NotAllowed(
            f"{actor.name} has the role {actor.role}, and {name.replace('_', ' ')} needs {needed}.",
            "Ask somebody with that role.",
        )


def _ask(verb: Verb) -> Callable[..., Run]:
    def act(console: Console, actor: Actor, *, run: str) -> Run:
        asked = console.ledger.ask(run, verb, actor.name)
        if verb is Verb.CANCEL:
            clean_up(console.store, asked)
            if asked.state is RunState.CANCELLED:
                take_back(console.store, asked)
        return asked

    return act


def _set_manners(console: Console, actor: Actor, *, manners: Manners | None, run: str = DEFAULTS) -> MannersChange:
    """Those of a run, or the defaults where none is named; None forgets them."""
    return console.ledger.manners.put(run, manners)


def _measure_coverage(console: Console, actor: Actor, *, collection: str) -> Run:
    info = console.store.describe(collection)
    return look_once(
        console,
        actor,
        "coverage",
        info.name,
        title=f"Coverage of {info.name}",
        lane=Lane.STORE,
        selected=lambda: console.catalog_of(info.name).count(),
    )


def _retry(console: Console, actor: Actor, *, collection: str, keys: Sequence[str] = (), kind: str = "") -> Run:
    return submit_retry(
        console.store, console.ledger, console.failed, collection, keys=keys, kind=kind, actor=actor.name
    )


def _quarantine(console: Console, actor: Actor, *, collection: str, keys: Sequence[str] = (), kind: str = "") -> int:
    return quarantine(console.store, console.failed, collection, keys=keys, kind=kind, actor=actor.name)


def _release(console: Console, actor: Actor, *, collection: str, keys: Sequence[str] = (), kind: str = "") -> int:
    return release(console.store, console.failed, collection, keys=keys, kind=kind)


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
    catalog = console.catalog_of(info.name)
    return stamp(console.store, catalog, console.images, embedder, info, unchecked=unchecked)


def _introduce_alias(console: Console, actor: Actor, *, alias: str, collection: str) -> Move:
    return cutover.introduce_alias(console.store, console.moves, alias, collection, actor=actor.name)


def _cut_over(
    console: Console, actor: Actor, *, alias: str, to: str, migration: str = "", accept_losses: bool = False
) -> Move | Run:
    return console.ways.cut_over(alias, to, actor=actor.name, migration=migration, accept_losses=accept_losses)


def _roll_back(console: Console, actor: Actor, *, alias: str, accept_losses: bool = False) -> Move | Run:
    return console.ways.roll_back(alias, actor=actor.name, accept_losses=accept_losses)


def _catch_up(console: Console, actor: Actor, *, collection: str, mass_deletion: bool = False) -> Run | Lag:
    name = console.store.describe(collection).name
    return console.keeping.bring_in_step(name, actor.name, mass_deletion=mass_deletion)


def _stop_following(console: Console, actor: Actor, *, collection: str) -> Follow:
    return console.keeping.stop(console.store.describe(collection).name, actor.name)


@dataclass(frozen=True, slots=True)
class _Command:
    act: Callable[..., Any]
    role: Role
    named_by: str
    recorded: bool = False
    """What it does is a record itself, with who and when: the journal would only repeat it, a hundred times an hour."""
    counts: str = "picture"
    """What the number that it returns is of, if it returns one."""

    def subject(self, arguments: Mapping[str, Any]) -> str:
        value = arguments.get(self.named_by, "")
        if self.named_by == "requests":
            return ", ".join(dict.fromkeys(request.served for request in value))
        if isinstance(value, Wish):
            return value.into
        return value.served if isinstance(value, Request) else str(value)


COMMANDS: Mapping[str, _Command] = {
    "start_migration": _Command(start_migration, "operator", "request"),
    "start_migrations": _Command(start_migrations, "operator", "requests"),
    "ingest": _Command(ingest, "operator", "wish"),
    "forget_intake": _Command(forget_intake, "operator", "collection"),
    "create_collection": _Command(create_collection, "operator", "collection"),
    "pause": _Command(_ask(Verb.PAUSE), "operator", "run"),
    "resume": _Command(_ask(Verb.RESUME), "operator", "run"),
    "cancel": _Command(_ask(Verb.CANCEL), "operator", "run"),
    "set_manners": _Command(_set_manners, "operator", "run"),
    "verify": _Command(verifying.verify, "operator", "collection"),
    "repair": _Command(verifying.repair, "operator", "collection"),
    "check_encoder": _Command(check_encoder, "operator", "collection"),
    "measure_coverage": _Command(_measure_coverage, "operator", "collection"),
    "find_duplicates": _Command(find_duplicates, "operator", "collection"),
    "draw_sample": _Command(draw_sample, "operator", "collection"),
    "measure_losses": _Command(measure_losses, "operator", "collection"),
    "retry": _Command(_retry, "operator", "collection"),
    "generate": _Command(generating.generate, "operator", "into"),
    "quarantine": _Command(_quarantine, "operator", "collection"),
    "release": _Command(_release, "operator", "collection"),
    "stamp": _Command(_stamp, "admin", "collection"),
    "introduce_alias": _Command(_introduce_alias, "operator", "alias"),
    "catch_up": _Command(_catch_up, "operator", "collection"),
    "stop_following": _Command(_stop_following, "admin", "collection"),
    "share": _Command(share, "admin", "alias"),
    "cut_over": _Command(_cut_over, "admin", "alias"),
    "roll_back": _Command(_roll_back, "admin", "alias"),
    "recreate": _Command(replacing.recreate, "admin", "collection"),
    "retire": _Command(replacing.retire, "admin", "collection"),
    "back_up": _Command(backups.back_up, "operator", "collection"),
    "prove": _Command(backups.prove, "operator", "backup"),
    "restore": _Command(backups.restore, "operator", "backup"),
    "delete_backup": _Command(backups.delete_backup, "admin", "backup"),
    "prune_backups": _Command(backups.prune_backups, "admin", "collection"),
    "take_snapshot": _Command(backups.take_snapshot, "operator", "collection"),
    "download_snapshot": _Command(backups.download_snapshot, "operator", "snapshot"),
    "recover_snapshot": _Command(backups.recover_snapshot, "operator", "snapshot"),
    "delete_snapshot": _Command(backups.delete_snapshot, "admin", "snapshot"),
    "move_store": _Command(move_store, "admin", "to"),
    "save_query_set": _Command(judging.save_query_set, "judge", "query_set"),
    "ask_query_set": _Command(judging.ask_query_set, "judge", "query_set"),
    "begin_evaluation": _Command(judging.begin_evaluation, "judge", "snapshot"),
    "judge": _Command(judging.give_grade, "judge", "evaluation", recorded=True),
    "vote": _Command(judging.give_vote, "judge", "evaluation", recorded=True),
    "import_grades": _Command(judging.import_grades, "judge", "evaluation", counts="grade"),
    "look_at_verdict": _Command(judging.look_at_verdict, "judge", "evaluation", recorded=True),
    "open_answers": _Command(judging.open_answers, "judge", "snapshot", counts="blind evaluation"),
    "undo_judgement": _Command(judging.undo_judgement, "judge", "evaluation", recorded=True),
    "take_up_name": _Command(judging.take_up_name, "judge", "evaluation"),
    "reveal": _Command(judging.reveal, "operator", "evaluation"),
    "change_settings": _Command(change_settings, "admin", "section"),
}


def _detail(result: Any, counts: str) -> str:
    match result:
        case Started(migration, run, found):
            return f"{migration.id}, run {run.id}: {found.selected:,} pictures into {found.target}"
        case [*begun] if begun and all(isinstance(one, Started) for one in begun):
            return "; ".join(_detail(one, counts) for one in begun)
        case Run():
            return f"run {result.id} is {result.state}"
        case MannersChange():
            return str(result)
        case Move():
            return f"{result.before or 'nothing'} → {result.after}"
        case Share():
            return str(result)
        case Making():
            return "; ".join(list(result.facts.values())[1:5])
        case Lag():
            return "nothing is behind"
        case StoreMoved():
            return f"{result.collections:,} collections, {result.points:,} points, {result.aliases:,} aliases"
        case SettingsChanged():
            return ", ".join(result.names) or "nothing was to change"
        case Evaluation():
            return f"{result.id}, {locked(result.way, result.protocol)}"
        case QuerySet():
            return f"version {result.version}, {result.size:,} questions"
        case Follow():
            return result.note
        case int():
            return count(result, counts)
        case ModelStamp():
            return f"{result.model} {result.fingerprint}"
        case Backup():
            return f"{result.state}, {result.points:,} points of {result.collection}"
        case [*gone] if gone and all(isinstance(one, Intake) for one in gone):
            return f"{gone[0].name} does not belong to it any more"
        case [*deleted] if all(isinstance(one, Backup) for one in deleted):
            return f"{len(deleted)} backups deleted" + "".join(f", {one.id}" for one in deleted[:10])
        case _:
            return ""
