"""From what a person asks to ingest to the plan of the run: everything that would make it go wrong is refused here."""

import os
import secrets
import shutil
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Literal

from console_core.backup.lists import digest_of
from console_core.catalog.intake import Intake, Places
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.intake_members import Members
from console_core.catalog.web_addresses import is_address
from console_core.embedding.loaded import Models
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.errors import CatalogUnavailable, CollectionNotFound, FingerprintMismatch, NotFound, Refused
from console_core.migration.filling import mode_of
from console_core.migration.ingest import IngestPlan
from console_core.migration.intakes import Intakes
from console_core.migration.plan import USUAL_BATCH, built_part
from console_core.runs.ledger import Ledger
from console_core.vectorstore.naming import refuse_vector_name
from console_core.vectorstore.types import CollectionInfo, ModelStamp, VectorStore

USUAL_NAMESPACE = "default"
COPIES = "ingested"
"""The folder of the workspace in which lists are kept as they were when they were ingested."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for. `model` "" and `mode` None: those of the collection, where it exists."""

    path: Path
    into: str
    namespace: str = USUAL_NAMESPACE
    recursive: bool = True
    model: str = ""
    mode: Mode | None = None
    batch_size: int = USUAL_BATCH
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ingesting:
    """The parts of a workspace that an ingestion needs; they are only read."""

    store: VectorStore
    models: Models
    ledger: Ledger
    intakes: Intakes
    members: Members

    @property
    def places(self) -> Places:
        """Where what is ingested lies."""
        return self.members.places

    def plan(self, wish: Wish) -> IngestPlan:
        """The plan of a wish.

        Raises:
            Refused: the namespace or the name cannot be used, the pictures lie outside the image roots, another model
                or mode than the collection's is named, or none where a collection is to be made.
            NotFound: there is no such folder or list.
            FingerprintMismatch: the collection's model is another one by now.
            CatalogUnavailable, CatalogInvalid, ModelError, StoreError
        """
        intake = self._intake(wish)
        info = self._existing(wish.into)
        if info is None:
            refuse_vector_name(wish.into)
        if info is None and not wish.model:
            known = ", ".join(card.key for card in self.models.cards.all()[:8])
            raise Refused(
                f"There is no collection {wish.into} yet, so nothing says which model its vectors shall be of.",
                f"Name one with the pictures, such as {known}.",
            )
        embedder = self.models.get(wish.model if info is None else self._model_of(info, wish).model)
        if info is None:
            return self._planned(wish, intake, embedder, wish.into, wish.mode or Mode.FAST, creates=True)
        if info.stamp and embedder.fingerprint.digest != info.stamp.fingerprint:
            raise FingerprintMismatch(
                f"{info.name} was made by {info.stamp.model} {info.stamp.fingerprint}, but that model now has "
                f"{embedder.fingerprint.digest}: its weights or settings changed since.",
                "Put the old weights back, or ingest into another collection.",
            )
        mode = mode_of(self.store, info.name)
        if wish.mode not in (None, mode):
            raise Refused(
                f"The pictures of {info.name} are decoded in {mode} mode.", "Leave the mode out, so that all are alike."
            )
        return self._planned(wish, intake, embedder, info.name, mode, creates=False)

    def catalog(self, plan: IngestPlan) -> IntakeCatalog:
        """The pictures of a plan, as all that was ingested into its collection tells them.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        others = [one for one in self.intakes.of(plan.collection) if one != plan.intake]
        return IntakeCatalog(
            [*others, plan.intake],
            self.places,
            only=plan.intake,
            members=self.members,
            collection=plan.collection,
        )

    def kept(self, plan: IngestPlan) -> IngestPlan:
        """The plan with its list copied into the workspace, as it is now.

        Raises:
            CatalogUnavailable: it cannot be read, or the workspace cannot be written.
        """
        if plan.intake.kind == "folder":
            return plan
        folder, listed = self.places.copies, self.places.path(plan.intake.location)
        draft = folder / f".{secrets.token_hex(8)}"
        try:
            folder.mkdir(exist_ok=True)
            shutil.copyfile(listed, draft)
            file = draft.replace(folder / f"{digest_of(draft)}.csv")
        except OSError as error:
            raise CatalogUnavailable(
                f"The list {listed} cannot be copied into {folder}: {error.strerror or error}.",
                "Check that the list may be read and the workspace be written.",
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return replace(plan, intake=replace(plan.intake, copy=file.name))

    def _intake(self, wish: Wish) -> Intake:
        namespace = wish.namespace
        if not 0 < len(namespace) <= _LONGEST or namespace != namespace.strip() or not namespace.isprintable():
            raise Refused(f"{namespace!r} is not a namespace.", f"Use 1 to {_LONGEST} letters, digits, - and _.")
        if ":" in namespace:
            raise Refused(f"The namespace {namespace} has a colon.", "It ends where the path in a key begins: use -.")
        path = Path(os.path.abspath(wish.path.expanduser()))  # noqa: PTH100  resolving would lose how a root is written
        real = path.resolve()
        if not real.exists():
            raise NotFound(
                f"There is no folder or list {path}.", "Name a folder of pictures, or a list of their paths."
            )
        kind: Literal["folder", "list"] = "folder" if real.is_dir() else "list"
        intake = Intake(namespace, kind, self.places.text(real), recursive=wish.recursive)
        self._refuse_outside(intake, real)
        return intake

    def _refuse_outside(self, intake: Intake, location: Path) -> None:
        """Of a folder its place counts; a list may lie anywhere, but not all of its pictures outside."""
        places, example, lying = self.places, intake.location, iter([intake.location])
        if intake.kind == "list":
            told = (one.path for one in self.members.of(intake).told(None))
            if not (example := next(told, "")):
                raise Refused(f"The list {location} names no picture.", "Write a path on each line.")
            lying = chain([example], told)
        if not any(map(places.holding(), lying)):
            roots = ", ".join([*map(str, places.roots), *places.addresses]) or "there is none"
            what, missing = f"What {location} names", str(places.path(example).parent)
            if intake.kind == "folder":
                what = missing = str(location)
            elif is_address(example):
                missing = f"{example.partition('?')[0].rpartition('/')[0]}/"
            raise Refused(
                f"{what} lies outside the image roots ({roots}), so that its pictures could be neither read nor shown.",
                f'Add where they are: also = ["{missing}"] in [images] of console.toml, or put it into '
                "CONSOLE_IMAGE_ROOT.",
            )

    def _existing(self, name: str) -> CollectionInfo | None:
        if not name.strip():
            raise Refused("No collection is named.", "Name the collection that the pictures shall be put into.")
        try:
            return self.store.describe(name)
        except CollectionNotFound:
            return None

    def _model_of(self, info: CollectionInfo, wish: Wish) -> ModelStamp:
        if info.stamp is None or not info.stamp.model:
            raise Refused(f"{info.name} does not say which model made it.", "Stamp it on the Collections page first.")
        if info.problem:
            raise Refused(f"{info.name} cannot be written: {info.problem}", "Choose another collection.")
        wanted = self.models.cards.get(wish.model).key if wish.model else info.stamp.model
        if wanted != info.stamp.model:
            raise Refused(
                f"{info.name} was made by {info.stamp.model}, and vectors of {wish.model} must never meet them in one "
                "search.",
                "Leave the model out, or ingest into another collection.",
            )
        builds = self.ledger.runs(kinds=("reembed",), target=info.name, limit=200)
        if not built_part([run for run in builds if run.migration]).is_everything:
            raise Refused(
                f"{info.name} was built from a part of the catalog, which what is ingested would not belong to.",
                "Ingest into another collection.",
            )
        return info.stamp

    def _planned(
        self, wish: Wish, intake: Intake, embedder: Embedder, collection: str, mode: Mode, *, creates: bool
    ) -> IngestPlan:
        return IngestPlan(
            collection=collection,
            model=embedder.card.key,
            fingerprint=embedder.fingerprint.digest,
            dimension=embedder.card.dimension,
            intake=intake,
            mode=mode,
            batch_size=wish.batch_size,
            again=wish.again,
            creates=creates,
        )
