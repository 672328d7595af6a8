"""The composition root: names the concrete parts of a workspace and puts them together."""

import os
from collections.abc import Callable
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
from console_core.errors import NotFound
from console_core.migration.plan import MigrationPlan
from console_core.migration.preflight import Parts
from console_core.migration.records import Migrations
from console_core.migration.reembed import Reembed
from console_core.migration.verify import Verify, VerifyPlan
from console_core.rollout.records import Moves
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner
from console_core.runs.types import Operation, Run
from console_core.runs.worker import Worker
from console_core.settings import Settings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.types import VectorStore


@dataclass
class Console:
    """The parts of one workspace, open. `owner` and `worker` are None where it was opened only to look."""

    settings: Settings
    database: Database
    ledger: Ledger
    migrations: Migrations
    moves: Moves
    coverage: CoverageRecords
    store: VectorStore
    catalog: ImageCatalog
    images: ImageStore
    models: LoadedModels
    thumbnails: Thumbnails
    owner: Owner | None = None
    worker: Worker | None = None

    def preflight_parts(self) -> Parts:
        """What a preflight may see: a store that cannot be written."""
        return Parts(
            catalog=self.catalog,
            images=self.images,
            store=ReadOnlyStore(self.store),
            models=self.models,
            ledger=self.ledger,
            workspace=self.settings.workspace,
        )

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
                )
            case "coverage":
                return MeasureCoverage(
                    self.catalog, self.store, self.ledger.failed_among, self.coverage, run.target, Slice()
                )
            case kind:
                raise NotFound(f"There is no operation {kind}.", "This run was made by another version of the console.")

    def close(self) -> None:
        """Stop at the next checkpoint and let go of everything; safe to call twice."""
        steps: list[Callable[[], object]] = []
        if self.worker is not None:
            steps.append(self.worker.close)
        steps += [self.store.close, self.catalog.close]
        if self.owner is not None:
            steps.append(self.owner.release)
        steps.append(self.database.close)
        for step in steps:
            step()
        self.worker = self.owner = None


def open_console(settings: Settings, *, owner_name: str = "", with_worker: bool = False) -> Console:
    """Open a workspace. With `owner_name` this process becomes the ledger's one owner; only an owner may write.

    Raises:
        LedgerOwned: another process is the owner.
        ConsoleError: some part cannot be opened; whatever was opened before it is closed again.
    """
    opened: list[Callable[[], None]] = []
    try:
        database = Database(settings.ledger_url)
        opened.append(database.close)
        owner = Owner.acquire(database, owner_name) if owner_name else None
        if owner is not None:
            opened.append(owner.release)
        catalog = open_catalog(settings.catalog)
        opened.append(catalog.close)
        store = open_store(settings.store)
        opened.append(store.close)
        images = LocalFiles(settings.image_roots)
        cards = ModelCards((*DEMO_CARDS, *CARDS, *map(from_settings, settings.models)))
        console = Console(
            settings=settings,
            database=database,
            ledger=Ledger(database),
            migrations=Migrations(database),
            moves=Moves(database),
            coverage=CoverageRecords(database),
            store=store,
            catalog=catalog,
            images=images,
            models=LoadedModels(cards, settings.device),
            thumbnails=Thumbnails(settings.cache / "thumbnails", images),
            owner=owner,
        )
        if with_worker:
            console.worker = Worker(console.ledger, console.operation, f"{owner_name} ({os.getpid()})")
            console.worker.start()
    except BaseException:
        for close in reversed(opened):
            close()
        raise
    return console
