"""What needs a person, the gravest first, each with the page where it is settled."""

from collections.abc import Iterable, Iterator

from console_core.console import Console
from console_core.errors import ConsoleError
from console_core.following.catch_up import awaits_word
from console_core.migration.records import Stage, Standing
from console_core.rollout.cutover import gate
from console_core.runs.types import RESUMABLE, Run, RunState
from console_core.ui.keeping import Attention, of_backups, of_follows
from console_core.vectorstore.types import CollectionInfo


def attention(console: Console, collections: Iterable[CollectionInfo]) -> list[Attention]:
    """Everything that waits for a person, the gravest first."""
    runs = console.ledger.runs(states={*RESUMABLE, RunState.INVALID}, limit=20)
    standings = console.standings(console.migrations.all(limit=20))
    known = list(collections)
    found = [
        *_of_notices(console.notices),
        *_of_runs(runs),
        *of_follows(console),
        *_of_migrations(console, standings),
        *_of_shares(console),
        *_of_collections(known),
        *of_backups(console, known),
        *_of_coverage(console, known),
        *_of_failures(console, known),
    ]
    order = ("block", "warn", "info")
    return sorted(found, key=lambda item: order.index(item.severity))


def _of_notices(notices: Iterable[ConsoleError]) -> Iterator[Attention]:
    for notice in notices:
        yield Attention("warn", notice.message, notice.remedy, "settings")


def _of_runs(runs: Iterable[Run]) -> Iterator[Attention]:
    for run in runs:
        if awaits_word(run):
            told = f"{run.reason} Nothing was deleted."
            remedy = "Make sure that the catalog is complete. If they were really deleted, allow it there."
            yield Attention("block", told, remedy, "collections", {"collection": run.target})
            continue
        grave = run.state in (RunState.FAILED, RunState.INVALID)
        reason = f"{run.title} is {run.state}. {run.reason}".strip()
        remedy = run.remedy or ("Look at its failures." if grave else "Resume it; it goes on from its checkpoint.")
        yield Attention("block" if grave else "warn", reason, remedy, "runs", {"run": run.id})


def _of_migrations(console: Console, standings: Iterable[Standing]) -> Iterator[Attention]:
    for one in standings:
        if (told := _waits(console, one)) is not None:
            severity, what, remedy = told
            where = {"migration": one.migration.id}
            yield Attention(severity, f"{one.migration.plan.title} {what}", remedy, "migrations", where)


def _waits(console: Console, one: Standing) -> tuple[str, str, str] | None:
    plan = one.migration.plan
    if one.stage is Stage.BUILT:
        return "info", "is built and not verified yet.", "Verify it before you judge it."
    if one.stage is Stage.REFUTED:
        return "block", "did not pass its verification.", "Look at what was found before anything is cut over."
    if one.stage is not Stage.READY:
        return None
    closed = gate(console.ledger, console.store, plan.target, serving=one.serves, age=console.verdict_age).reasons
    if closed:
        return "warn", f"is verified, and that does not count any more. {closed[0]}", "Verify it again."
    if plan.in_place and one.serves == plan.source:
        return "info", "is verified and ready.", "Prove a backup, then recreate in place."
    return "info", "is verified and ready.", "Compare both models in the Query lab, then cut over."


def _of_shares(console: Console) -> Iterator[Attention]:
    for share in console.shares.given():
        if console.router.over(share):
            continue
        parts = (console.ledger, console.store, share.candidate)
        if closed := gate(*parts, serving=share.serving, age=console.verdict_age).reasons:
            text = f"{share.candidate} answers {share.percent:g} % of the traffic of {share.alias}"
            remedy = "Verify it again, or end its share."
            yield Attention("warn", f"{text}, and its verdict does not count any more. {closed[0]}", remedy, "rollout")


def _of_collections(collections: Iterable[CollectionInfo]) -> Iterator[Attention]:
    for info in collections:
        where = {"collection": info.name}
        if info.problem:
            yield Attention("warn", f"{info.name}: {info.problem}", "Open the collection.", "collections", where)
        elif info.stamp is None:
            text = f"Nothing says which model made {info.name}."
            yield Attention("warn", text, "Record its model (stamp), so that it can be searched.", "collections", where)


def _of_failures(console: Console, collections: Iterable[CollectionInfo]) -> Iterator[Attention]:
    failed = console.failed.collections(quarantined=False)
    for info in collections:
        if number := failed.get(info.name):
            what = "picture" if number == 1 else "pictures"
            text = f"{number:,} {what} failed in {info.name}."
            remedy = "Mend and retry them, or put into quarantine what cannot be mended."
            yield Attention("info", text, remedy, "failures", {"collection": info.name})


def _of_coverage(console: Console, collections: Iterable[CollectionInfo]) -> Iterator[Attention]:
    for info in collections:
        if info.aliases and console.coverage.latest(info.name) is None:
            text = f"Nobody knows yet how much of the catalog {info.name} covers."
            yield Attention("info", text, "Measure its coverage.", "coverage", {"collection": info.name})
