"""The composition root: names the concrete parts of a workspace and puts them together."""

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.opening import open_catalog
from console_core.catalog.thumbnails import Thumbnails
from console_core.catalog.types import ImageCatalog, ImageStore, Slice
from console_core.coverage.gaps import CoverageRecords
from console_core.coverage.operation import MeasureCoverage
from console_core.database import Database
from console_core.demo.cards import DEMO_CARDS
from console_core.embedding.cards import CARDS
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards, from_settings
from console_core.embedding.types import ModelCard
from console_core.errors import ConsoleError, NotFound
from console_core.migration.differences import Differences
from console_core.migration.plan import MigrationPlan
from console_core.migration.preflight import Parts
from console_core.migration.records import Migration, Migrations, Stage, Standing, standing
from console_core.migration.reembed import Reembed
from console_core.migration.repair import Repair, RepairPlan, verify_again
from console_core.migration.verify import Verify, VerifyPlan
from console_core.rollout.cutover import overtaken
from console_core.rollout.records import MoveKind, Moves
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner
from console_core.runs.types import Operation, Run
from console_core.runs.worker import Worker
from console_core.settings import Settings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.types import VectorStore

_OVERTAKEN = {MoveKind.ROLLED_BACK: Stage.ROLLED_BACK, MoveKind.CUT_OVER: Stage.SUPERSEDED}


@dataclass
class Console:
    """The parts of one workspace, open. `owner` and `worker` are None where it was opened only to look.

    `notices` are problems that were found while opening and that keep only themselves from working.
    """

    settings: Settings
    database: Database
    ledger: Ledger
    migrations: Migrations
    moves: Moves
    coverage: CoverageRecords
    differences: Differences
    store: VectorStore
    catalog: ImageCatalog
    images: ImageStore
    models: LoadedModels
    thumbnails: Thumbnails
    owner: Owner | None = None
    worker: Worker | None = None
    notices: tuple[ConsoleError, ...] = ()

    def preflight_parts(self) -> Parts:
        """What a preflight may see: a store that cannot be written."""
        return Parts(
            catalog=self.catalog,
            images=self.images,
            store=ReadOnlyStore(self.store),
            models=self.models,
            ledger=self.ledger,
        )

    def standings(self, migrations: Iterable[Migration], aliases: Mapping[str, str] | None = None) -> list[Standing]:
        """Where migrations stand, from their runs, what the aliases serve, and how they were moved.

        The store is asked for `aliases` where they are not given.
        """
        aliases = self.store.aliases() if aliases is None else aliases
        moves = self.moves.of(limit=1000)
        found = []
        for migration in migrations:
            plan = migration.plan
            own = [move for move in moves if move.alias == plan.alias]
            stage = _OVERTAKEN.get(overtaken(own, plan.target, migration.created_at) or MoveKind.INTRODUCED)
            found.append(standing(migration, self.ledger, aliases, stage))
        return found

    def operation(self, run: Run) -> Operation:
        """The operation of a run, from the plan that is stored with it.

        Raises:
            NotFound: no operation of that kind exists.
        """
        match run.kind:
            case "reembed":
                plan = MigrationPlan.from_json(run.spec)
                return Reembed(
                    plan,
                    run.id,
                    catalog=self.catalog,
                    images=self.images,
                    store=self.store,
                    embedder=partial(self.models.get, plan.model),
                )
            case "verify":
                check = VerifyPlan.from_json(run.spec)
                return Verify(
                    check,
                    run.id,
                    catalog=self.catalog,
                    images=self.images,
                    store=self.store,
                    embedder=partial(self.models.get, check.model),
                    failed_among=self.ledger.failed_among,
                    records=self.differences,
                )
            case "repair":
                repair = RepairPlan.from_json(run.spec)
                return Repair(
                    repair,
                    run.id,
                    catalog=self.catalog,
                    images=self.images,
                    store=self.store,
                    embedder=partial(self.models.get, repair.check.model),
                    failed_among=self.ledger.failed_among,
                    records=self.differences,
                    then=partial(verify_again, self.ledger, self.catalog, run, repair.check),
                )
            case "coverage":
                return MeasureCoverage(
                    self.catalog, self.store, self.ledger.failed_among, self.coverage, run.target, Slice()
                )
            case kind:
                raise NotFound(f"There is no operation {kind}.", "This run was made by another version of the console.")

    def close(self) -> None:
        """Stop at the next checkpoint and let go of everything, also where letting go of one part fails.

        Safe to call twice.
        """
        with ExitStack() as parts:
            parts.callback(self.database.close)
            if self.owner is not None:
                parts.callback(self.owner.release)
            parts.callback(self.catalog.close)
            parts.callback(self.store.close)
            if self.worker is not None:
                parts.callback(self.worker.close)
            self.worker = self.owner = None


def open_console(settings: Settings, *, owner_name: str = "", with_worker: bool = False) -> Console:
    """Open a workspace. With `owner_name` this process becomes the ledger's one owner; only an owner may write.

    An owner ends the attempts that the last one left open when it died; `with_worker` it also works on queued runs.

    Raises:
        LedgerOwned: another process is the owner.
        ConsoleError: some part cannot be opened; whatever was opened before it is closed again.
    """
    with ExitStack() as opened:
        database = Database(settings.ledger_url)
        opened.callback(database.close)
        owner = Owner.acquire(database, owner_name) if owner_name else None
        if owner is not None:
            opened.callback(owner.release)
        catalog = open_catalog(settings.catalog)
        opened.callback(catalog.close)
        store = open_store(settings.store)
        opened.callback(store.close)
        images = LocalFiles(settings.image_roots)
        own, notices = _own_cards(settings)
        console = Console(
            settings=settings,
            database=database,
            ledger=Ledger(database),
            migrations=Migrations(database),
            moves=Moves(database),
            coverage=CoverageRecords(database),
            differences=Differences(database),
            store=store,
            catalog=catalog,
            images=images,
            models=LoadedModels(ModelCards((*DEMO_CARDS, *CARDS, *own)), settings.device),
            thumbnails=Thumbnails(settings.cache / "thumbnails", images),
            owner=owner,
            notices=notices,
        )
        if owner is not None and with_worker:
            name = f"{owner_name} ({os.getpid()})"
            console.worker = Worker(console.ledger, console.operation, name, held=owner.held)
            console.worker.start()
        elif owner is not None:
            console.ledger.recover(owner_name)
        opened.pop_all()
    return console


def _own_cards(settings: Settings) -> tuple[list[ModelCard], tuple[ConsoleError, ...]]:
    """The cards of console.toml's models; one that is wrong there costs only itself."""
    cards, notices = [], []
    for model in settings.models:
        try:
            cards.append(from_settings(model, settings.workspace))
        except ConsoleError as error:
            notices.append(type(error)(f"[models.{model.key}] {error.message}", error.remedy))
    return cards, tuple(notices)
