"""The composition root: names the concrete parts of a workspace and puts them together."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from console_core.backup.backups import Backups
from console_core.backup.operations import tidy_up
from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.intake import PREFIX, Places, row_of
from console_core.catalog.intake_members import Members
from console_core.catalog.opening import CATALOGS, open_catalog, open_column, open_images
from console_core.catalog.thumbnails import Thumbnails
from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.console.listed_points import StorePoints
from console_core.console.operations import operation
from console_core.console.own_cards import own_cards
from console_core.coverage.gaps import CoverageRecords
from console_core.database import Database
from console_core.demo.cards import DEMO_CARDS
from console_core.embedding.cards import CARDS
from console_core.embedding.loaded import Models
from console_core.embedding.registry import ModelCards
from console_core.engine.convoys import Convoys
from console_core.engine.opening import open_models
from console_core.errors import ConsoleError, StoreError
from console_core.following.comparing import Comparison
from console_core.following.follower import Follower
from console_core.following.keeping import Keeping
from console_core.following.records import Follow, Follows
from console_core.following.ways import Ways
from console_core.judging.records import LabRecords
from console_core.migration.differences import Differences
from console_core.migration.ingesting import COPIES, Ingesting
from console_core.migration.intakes import Intakes
from console_core.migration.preflight import Parts
from console_core.migration.records import Migration, Migrations, Stage, Standing, standing
from console_core.querylab.samples import Samples
from console_core.rollout.cutover import overtaken
from console_core.rollout.gap import close_gaps
from console_core.rollout.records import MoveKind, Moves
from console_core.rollout.recreate import gap_estimate
from console_core.rollout.router import Router
from console_core.rollout.share import Shares
from console_core.runs.dry_ledger import dry_ledger
from console_core.runs.failed_pictures import FailedPictures
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner
from console_core.runs.types import Operation, Run
from console_core.runs.worker import Worker
from console_core.settings import Settings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import VectorStore

_OVERTAKEN = {MoveKind.ROLLED_BACK: Stage.ROLLED_BACK, MoveKind.CUT_OVER: Stage.SUPERSEDED}


@dataclass
class Console:
    """The parts of one workspace, open. `owner` and `worker` are None where it was opened only to look.

    `traffic` counts the searches that are made in this process; polite runs yield to them. `convoys` are the runs that
    share a decoding. `embedding_column` is where the application's table keeps vectors, if the settings name one.
    `notices` are problems that were found while opening and that keep only themselves from working. `copies` are
    what a dry run reads instead of the workspace's own files.
    """

    settings: Settings
    database: Database
    ledger: Ledger
    migrations: Migrations
    moves: Moves
    shares: Shares
    coverage: CoverageRecords
    follows: Follows
    backups: Backups
    differences: Differences
    failed: FailedPictures
    intakes: Intakes
    lab: LabRecords
    members: Members
    store: VectorStore
    catalog: ImageCatalog
    images: ImageStore
    models: Models
    thumbnails: Thumbnails
    traffic: Traffic
    samples: Samples
    owner: Owner | None = None
    worker: Worker | None = None
    follower: Follower | None = None
    notices: tuple[ConsoleError, ...] = ()
    copies: ExitStack = field(default_factory=ExitStack)
    convoys: Convoys = field(default_factory=Convoys)
    embedding_column: EmbeddingColumn | None = None

    def catalog_of(self, collection: str) -> ImageCatalog:
        """Which pictures a collection, named by its real name, is to hold; see `Intakes.catalog`."""
        return self.intakes.catalog(collection, self.catalog, self.members)

    def rows(self, keys: Sequence[str]) -> list[ImageRow]:
        """The pictures with these keys, in the catalog or ingested into whatever collection, to be shown."""
        own = [key for key in keys if not key.startswith(PREFIX)]
        ingested = (row_of(key, self.members.places) for key in keys if key.startswith(PREFIX))
        return [*(self.catalog.get(own) if own else ()), *(row for row in ingested if row is not None)]

    def ingesting(self) -> Ingesting:
        """What plans an ingestion; the store that it is given cannot be written."""
        return Ingesting(ReadOnlyStore(self.store), self.models, self.ledger, self.intakes, self.members)

    def preflight_parts(self, served: str = "") -> Parts:
        """What the preflight of a migration of `served` may see: a store that cannot be written."""
        with suppress(StoreError):  # the preflight says so
            served = self.store.aliases().get(served, served)
        return Parts(
            catalog=self.catalog_of(served),
            images=self.images,
            store=ReadOnlyStore(self.store),
            models=self.models,
            ledger=self.ledger,
            ledger_url=self.settings.ledger_url,
            image_roots=self.settings.images.roots,
            owner=self.owner,
            moved_to=self._moved_to,
            backups=self.backups,
            gap=partial(gap_estimate, self.store),
        )

    def _moved_to(self, alias: str) -> str:
        """The collection that the last recorded move of an alias led to; "" where none is recorded."""
        moves = self.moves.of(alias, limit=1)
        return moves[0].after if moves else ""

    def listed_collection(self) -> str:
        """The collection that is the catalog; "" where that is something else.

        Raises:
            CatalogUnavailable: the catalog is one, and cannot be asked which.
        """
        if self.settings.catalog.kind != "collection":
            return ""
        return self.catalog.info().details["collection"]

    def standings(self, migrations: Iterable[Migration], aliases: Mapping[str, str] | None = None) -> list[Standing]:
        """Where migrations stand, from their runs, what the aliases serve, and how they were moved.

        The store is asked for `aliases` where they are not given.
        """
        aliases = self.store.aliases() if aliases is None else aliases
        moves = self.moves.of(limit=1000)
        found = []
        for migration in migrations:
            plan = migration.plan
            own = [move for move in moves if move.alias == plan.served_as]
            gone = overtaken(own, plan.target, migration.created_at, aliases.get(plan.served_as, ""))
            stage = _OVERTAKEN.get(gone or MoveKind.INTRODUCED)
            found.append(standing(migration, self.ledger, aliases, stage))
        return found

    def comparison(self, follow: Follow) -> Comparison:
        """A followed collection beside the catalog."""
        catalog = self.catalog_of(follow.collection)
        return Comparison(follow, catalog, self.images, self.store, self.follows, self.ledger.failed_among)

    @property
    def keeping(self) -> Keeping:
        """What is kept in step with the catalog."""
        window = timedelta(days=self.settings.way_back_days)
        parts = (self.store, self.ledger, self.migrations, self.moves, self.follows)
        return Keeping(*parts, self.comparison, window, self.router.settle)

    @property
    def router(self) -> Router:
        """Who gets which collection of an alias' traffic."""
        return Router(self.store, self.ledger, self.moves, self.shares)

    @property
    def verdict_age(self) -> timedelta:
        """For how long a verdict counts, unless something is written."""
        return timedelta(hours=self.settings.verdict_hours)

    @property
    def ways(self) -> Ways:
        """The way forward and back of every alias."""
        return Ways(self.keeping, self.verdict_age)

    def operation(self, run: Run) -> Operation:
        """The operation of a run, from the plan that is stored with it; see `operations.operation`."""
        return operation(self, run)

    def _tidy(self) -> None:
        """Mend what was half done when the process died: names that lead nowhere, left-overs of backups and proofs."""
        with suppress(StoreError):  # the store need not answer yet; the next start looks again
            close_gaps(self.store, self.ledger, self.moves, "the console")
        tidy_up(self.store, self.ledger, self.backups)

    def close(self) -> None:
        """Stop at the next checkpoint and let go of everything, also where letting go of one part fails.

        Safe to call twice.
        """
        with ExitStack() as parts:
            parts.callback(self.copies.close)
            parts.callback(self.database.close)
            if self.owner is not None:
                parts.callback(self.owner.release)
            parts.callback(self.catalog.close)
            parts.callback(self.members.close)
            if self.embedding_column is not None:
                parts.callback(self.embedding_column.close)
            parts.callback(self.store.close)
            parts.callback(self.images.close)
            parts.callback(self.models.close)
            if self.worker is not None:
                parts.callback(self.worker.close)
            if self.follower is not None:
                parts.callback(self.follower.close)
            self.worker = self.owner = self.follower = None


def open_console(settings: Settings, *, owner_name: str = "", with_worker: bool = False, dry: bool = False) -> Console:
    """Open a workspace. With `owner_name` this process becomes the ledger's one owner; only an owner may write.

    An owner ends the attempts that the last one left open when it died; `with_worker` it also works on queued runs.
    `dry` opens it for a dry run, which leaves every file and collection as it is.

    Raises:
        LedgerOwned: another process is the owner.
        ConsoleError: some part cannot be opened; whatever was opened before it is closed again.
    """
    with ExitStack() as opened:
        copies = opened.enter_context(ExitStack())
        database = Database(copies.enter_context(dry_ledger(settings.ledger_url)) if dry else settings.ledger_url)
        opened.callback(database.close)
        owner = Owner.acquire(database, owner_name) if owner_name else None
        if owner is not None:
            opened.callback(owner.release)
        traffic = Traffic()
        store = open_store(settings.store, traffic, dry=dry)
        (copies if dry else opened).callback(store.close)
        catalog = open_catalog(settings.catalog, cache=settings.cache, points=StorePoints(store), dry=dry)
        opened.callback(catalog.close)
        column = open_column(settings.catalog)
        if column is not None:
            opened.callback(column.close)
        images = open_images(settings.images)
        opened.callback(images.close)
        own, notices = own_cards(settings, cache=None if dry else settings.cache)
        console = Console(
            settings=settings,
            database=database,
            ledger=Ledger(database),
            migrations=Migrations(database),
            moves=Moves(database),
            shares=Shares(database),
            coverage=CoverageRecords(database),
            follows=Follows(database),
            backups=Backups(settings.backups.folder),
            differences=Differences(database),
            failed=FailedPictures(database),
            intakes=Intakes(database),
            lab=LabRecords(database),
            members=Members(
                Places(settings.image_roots, settings.workspace / COPIES, settings.images.addresses),
                settings.cache / CATALOGS,
                dry=dry,
            ),
            store=ReadOnlyStore(store) if dry else store,
            catalog=catalog,
            images=images,
            models=open_models(settings, ModelCards((*DEMO_CARDS, *CARDS, *own)), dry=dry),
            thumbnails=Thumbnails(settings.cache / "thumbnails", images),
            traffic=traffic,
            samples=Samples(store, settings.workspace / "samples"),
            owner=owner,
            notices=notices,
            copies=copies,
            embedding_column=column,
        )
        if owner is not None and with_worker:
            name = f"{owner_name} ({os.getpid()})"
            console.worker = Worker(console.ledger, console.operation, name, held=owner.held, busy=traffic.busy)
            console.worker.start()
            console.follower = Follower(
                console.keeping, console.worker.wake, held=owner.held, interval=settings.follow_every
            )
            console.follower.start()
        elif owner is not None:
            console.ledger.recover(owner_name)
        if owner is not None:
            console._tidy()
        opened.pop_all()
    return console
