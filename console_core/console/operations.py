"""From a run to the operation that does it: one case for each kind."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from console_core.backup.lists import Carried
from console_core.backup.operations import operation_of
from console_core.catalog.types import ImageCatalog, Slice
from console_core.coverage.operation import MeasureCoverage
from console_core.errors import NotFound
from console_core.following.catch_up import BATCH, CatchUp
from console_core.judging.asking import AskPlan, AskQueries
from console_core.migration.generate import Generate, GeneratePlan
from console_core.migration.ingest import Ingest, IngestPlan
from console_core.migration.plan import MigrationPlan
from console_core.migration.reembed import DECODERS, REPLACED, JoinConvoy, Reembed
from console_core.migration.repair import Repair, RepairPlan, verify_again
from console_core.migration.retry import Retry, RetryPlan
from console_core.migration.verify import Verify, VerifyPlan
from console_core.querylab.duplicate_records import DuplicateRecords
from console_core.querylab.encoder_check import EncoderCheck, EncoderPlan
from console_core.querylab.filtering import where_of
from console_core.querylab.finding_duplicates import FindDuplicates
from console_core.querylab.measuring_losses import LossesPlan, MeasureLosses
from console_core.querylab.rankings import Query
from console_core.querylab.sample_run import DrawSample
from console_core.rollout.expected import expected_signature
from console_core.rollout.recreate import Recreate, RecreatePlan
from console_core.rollout.retire import Retire
from console_core.runs.manners_records import BatchSize
from console_core.runs.types import WORKING, Operation, Run

if TYPE_CHECKING:
    from console_core.console import Console


def operation(console: "Console", run: Run) -> Operation:
    """The operation of a run, from the plan that is stored with it.

    Raises:
        NotFound: no operation of that kind exists.
    """
    match run.kind:
        case "reembed":
            plan = MigrationPlan.from_json(run.spec)
            return _build(console, run, plan, console.catalog_of(plan.target))
        case "ingest":
            wanted = IngestPlan.from_json(run.spec)
            console.members.of(wanted.intake)  # one that is gone by now must not be recorded
            build = partial(_ingestion, console, run, wanted)
            return Ingest(wanted, console.store, console.intakes, build)
        case "retry":
            again = RetryPlan.from_json(run.spec)
            return Retry(
                again,
                run.id,
                catalog=console.catalog_of(again.collection),
                images=console.images,
                store=console.store,
                embedder=partial(console.models.get, again.model),
                failed=console.failed,
                batch_size=BatchSize(console.ledger.manners, run.id, again.batch_size),
            )
        case "generate":
            if console.embedding_column is None:
                raise NotFound("The catalog has no embedding column any more.", "Name it in [catalog] again.")
            generation = GeneratePlan.from_json(run.spec)
            return Generate(
                generation,
                run.id,
                catalog=console.catalog,
                column=console.embedding_column,
                images=console.images,
                store=console.store,
                embedder=partial(console.models.get, generation.model),
                failed_among=console.ledger.failed_among,
                batch_size=BatchSize(console.ledger.manners, run.id, generation.batch_size),
                before=run.result,
            )
        case "verify":
            check = VerifyPlan.from_json(run.spec)
            return Verify(
                check,
                run.id,
                catalog=console.catalog_of(check.collection),
                images=console.images,
                store=console.store,
                embedder=partial(console.models.get, check.model),
                failed_among=console.ledger.failed_among,
                records=console.differences,
            )
        case "repair":
            repair = RepairPlan.from_json(run.spec)
            pictures = console.catalog_of(repair.check.collection)
            return Repair(
                repair,
                run.id,
                catalog=pictures,
                images=console.images,
                store=console.store,
                embedder=partial(console.models.get, repair.check.model),
                failed_among=console.ledger.failed_among,
                records=console.differences,
                then=partial(verify_again, console.ledger, pictures, run, repair.check),
            )
        case "ask":
            return AskQueries(
                AskPlan.from_json(run.spec),
                sets=console.lab.query_sets,
                snapshots=console.lab.snapshots,
                store=console.store,
                models=console.models,
                rows=console.rows,
                samples=console.samples.of,
            )
        case "coverage":
            measured = console.catalog_of(run.target)
            return MeasureCoverage(
                measured,
                console.store,
                console.ledger.failed_among,
                console.coverage,
                run.target,
                Slice(),
                column=console.embedding_column if measured is console.catalog else None,
            )
        case "duplicates":
            return FindDuplicates(
                console.store,
                DuplicateRecords(console.database),
                run.target,
                run.id,
                threshold=run.spec["threshold"],
                where=where_of(run.spec["only"]),
                uncounted=console.traffic.uncounted,
            )
        case "sample":
            return DrawSample(console.store, console.samples, run.target)
        case "losses":
            losses = LossesPlan.from_json(run.spec)
            return MeasureLosses(
                losses,
                store=console.store,
                models=console.models,
                samples=console.samples,
                queries=partial(_queries, console, losses),
                rows=console.rows,
                uncounted=console.traffic.uncounted,
            )
        case "encoder_check":
            encoder = EncoderPlan.from_json(run.spec)
            return EncoderCheck(
                encoder,
                catalog=console.catalog_of(encoder.collection),
                images=console.images,
                store=console.store,
                embedder=partial(console.models.get, encoder.model),
            )
        case "catch_up":
            follow, then = console.follows.get(run.spec["follow"]), run.spec["then"]
            return CatchUp(
                console.comparison(follow),
                run.id,
                embedder=partial(console.models.get, follow.model),
                expected=expected_signature(console.ledger, console.store, follow.collection),
                then=partial(console.ways.act, then, since=run.created_at) if then else None,
                mass_deletion=run.spec["mass_deletion"],
                deleted_lately=console.keeping.deleted_lately(follow.collection, besides=run.id),
                batch_size=BatchSize(console.ledger.manners, run.id, run.spec.get("batch_size", BATCH)),
            )
        case "backup" | "prove" | "restore" | "snapshot" | "recover":
            keep = console.settings.backups.keep
            carried = Carried(console.intakes.ingested, console.intakes.put_back, console.members.places.copies)
            return operation_of(run, console.store, console.ledger, console.backups, keep, carried)
        case "recreate":
            return Recreate(
                RecreatePlan.from_json(run.spec),
                run.id,
                store=console.store,
                ledger=console.ledger,
                backups=console.backups,
                moves=console.moves,
                age=console.verdict_age,
                let_go=partial(_renamed, console),
            )
        case "retire":
            return Retire(
                run.target,
                run.id,
                store=console.store,
                ledger=console.ledger,
                moves=console.moves,
                backups=console.backups,
                holding=timedelta(days=run.spec["holding_days"]),
                listed=console.listed_collection,
                shared=console.router.gives,
                let_go=partial(_retired, console),
            )
        case kind:
            raise NotFound(f"There is no operation {kind}.", "This run was made by another version of the console.")


def _build(console: "Console", run: Run, plan: MigrationPlan, catalog: ImageCatalog) -> Reembed:
    return Reembed(
        plan,
        run.id,
        catalog=catalog,
        images=console.images,
        store=console.store,
        embedder=partial(console.models.get, plan.model),
        failed_among=console.ledger.failed_among,
        batch_size=BatchSize(console.ledger.manners, run.id, plan.batch_size),
        decoded=(run.result or {}).get(DECODERS),
        replaced=(run.result or {}).get(REPLACED, 0),
        convoy=_convoy(console, run, plan.convoy) if plan.convoy else None,
    )


def _ingestion(console: "Console", run: Run, plan: IngestPlan) -> Reembed:
    return _build(console, run, plan.as_build(), console.ingesting().catalog(plan))


def _queries(console: "Console", plan: LossesPlan) -> list[Query]:
    sets = console.lab.query_sets
    return sets.queries(sets.get(plan.query_set, plan.version))


def _convoy(console: "Console", run: Run, convoy: str) -> JoinConvoy:
    """The way for a run to join those of its convoy that are at work."""

    def at_work() -> set[str]:
        working = console.ledger.runs(kinds=(run.kind,), states=WORKING, limit=1000)
        return {one.id for one in working if one.spec.get("convoy") == convoy}

    return partial(console.convoys.join, convoy, run.id, at_work)


def _renamed(console: "Console", name: str, former: str) -> None:
    console.failed.rename(name, former)
    DuplicateRecords(console.database).begin(name)
    console.intakes.rename(name, former)
    console.samples.forget(name)
    console.keeping.let_go(name, f"{name} is an alias now, and what it was is kept as {former}.")


def _retired(console: "Console", collection: str) -> None:
    console.failed.forget(collection)
    DuplicateRecords(console.database).begin(collection)
    console.intakes.forget(collection)
    console.samples.forget(collection)
    console.keeping.let_go(collection, f"{collection} was retired.")
