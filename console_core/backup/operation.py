"""Back a collection up: read it page by page, write it part by part, and sign it at the end."""

import platform
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from console_core.backup import manifest as manifests
from console_core.backup.archive import read_manifest
from console_core.backup.backups import Backups
from console_core.backup.draft import Beginning, Draft, tidy
from console_core.backup.durable import full
from console_core.backup.lists import Carried
from console_core.backup.manifest import Manifest, Saved
from console_core.backup.parts import write_part
from console_core.database import now
from console_core.errors import BackupError, StoreRefused
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.signature import Signing
from console_core.vectorstore.types import CollectionInfo, Point, PointId, VectorStore

PART_BYTES = 16_000_000
"""Of vectors and payload in memory, after which a part is closed."""
PAGE_BYTES = 2_000_000
"""Of vectors, that are asked of the store at once."""
LEFT_MEANWHILE = "left meanwhile"


class BackUp:
    """Write everything that a collection holds, and what was ingested into it, into one archive. Nothing is written to
    the store.

    `done` counts points in finished parts. The checkpoint is the number of those; a resumed backup goes on behind
    them. The last step's result names the archive with its points, bytes and parts.
    """

    kind: ClassVar[str] = "backup"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        store: VectorStore,
        backups: Backups,
        collection: str,
        archive: str,
        run: str,
        *,
        part_bytes: int = 0,
        carried: Carried | None = None,
    ) -> None:
        self._store = store
        self._folder = backups.folder / archive
        self._collection = collection
        self._archive = archive
        self._run = run
        self._part_bytes = part_bytes or PART_BYTES
        self._carried = carried or Carried()

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            StoreRefused: an archive cannot keep all that such a collection has.
            BackupFull, BackupUnavailable: the folder cannot be written.
            BackupError: the collection was made anew meanwhile.
        """
        if (self._folder / manifests.FILE).exists():  # it was finished, but nobody was told
            manifest = read_manifest(self._folder)
            tidy(self._folder)
            yield self._concluded(manifest, counts)
            return
        info = self._store.describe(self._collection)
        refuse_unportable(info)
        draft = self._draft(checkpoint, info)
        page_size = pages_of(info.dimension, self._part_bytes // 8)
        signing = Signing(draft.signature)
        pages = self._pages(draft.last, page_size, signing)
        while True:
            self._refuse_full(info, counts)
            part = write_part(self._folder, self._archive, len(draft.parts), info.dimension, pages, self._part_bytes)
            if part is None:
                break
            draft.add(part, signing.signature())
            done = draft.points
            counts = replace(counts, done=done, selected=max(counts.selected, done))
            yield Progress(str(len(draft.parts)), counts)
        manifest = self._manifest(draft)
        draft.finish(manifest)
        yield self._concluded(manifest, counts)

    def _draft(self, checkpoint: str, info: CollectionInfo) -> Draft:
        saved = Saved.of(info)
        if not checkpoint:
            return Draft.begin(self._folder, Beginning(saved, info.points, now()))
        draft = Draft.reopen(self._folder, int(checkpoint))
        begun = draft.beginning.collection
        if replace(saved, aliases=begun.aliases, payload_fields=begun.payload_fields) != begun:
            raise BackupError(
                f"{info.name} is not the collection any more that this backup was begun with: its vectors, index or "
                "model changed.",
                "Cancel this run and back up again.",
            )
        return draft

    def _pages(self, after: PointId | None, size: int, signing: Signing) -> Iterator[Sequence[Point]]:
        while True:
            points, following = self._store.page(self._collection, after=after, limit=size, vectors=True)
            if points:
                signing.add(points)
                yield points
            if following is None:
                return
            after = following

    def _refuse_full(self, info: CollectionInfo, counts: Counts) -> None:
        """Refuse to begin a part, or all of them, for which there is certainly no space: half of the plain vectors."""
        wanted = max(counts.selected - counts.done, 0) * info.dimension * 4
        needed = (wanted if not counts.done else min(wanted, self._part_bytes)) // 2
        free = shutil.disk_usage(self._folder).free
        if free < needed:
            raise full(self._folder.parent, f"{_size(free)} are free, at least {_size(needed)} are needed")

    def _manifest(self, draft: Draft) -> Manifest:
        ingested = self._carried.ingested(self._collection)  # at the end: all points have been ingested by then
        return Manifest(
            archive=self._archive,
            collection=draft.beginning.collection,
            points=draft.points,
            parts=tuple(draft.parts),
            signature=draft.signature.as_json(),
            points_before=draft.beginning.points_before,
            points_after=self._store.count(self._collection),
            began=draft.beginning.began,
            ended=now(),
            run=self._run,
            versions=tools(self._store),
            ingested=ingested,
            lists=self._carried.save(ingested, self._folder),
        )

    def _concluded(self, manifest: Manifest, counts: Counts) -> Progress:
        counts = replace(counts, done=manifest.points, selected=max(counts.selected, manifest.points))
        if counts.pending:
            counts = replace(counts, skipped={LEFT_MEANWHILE: counts.pending})
        result = {
            "backup": manifest.archive,
            "points": manifest.points,
            "parts": len(manifest.parts),
            "bytes": manifest.bytes,
            "changed_meanwhile": manifest.changed_meanwhile,
        }
        return Progress(str(len(manifest.parts)), counts, result=result)


def refuse_unportable(info: CollectionInfo) -> None:
    """Refuse a collection of which an archive would keep only a part.

    Raises:
        StoreRefused
    """
    if info.problem:
        raise StoreRefused(
            f"{info.name} cannot be backed up into a portable archive without loss. {info.problem}",
            "Use a snapshot of the server: it keeps a collection as it is (Backups, Server snapshots).",
        )


def pages_of(dimension: int, most: int = PAGE_BYTES) -> int:
    """How many points to ask the store for at once, so that their vectors have `most` bytes or PAGE_BYTES."""
    return min(max(min(most, PAGE_BYTES) // (4 * max(dimension, 1)), 16), 1000)


def tools(store: VectorStore) -> dict[str, str]:
    """The versions of what made or read an archive; "" where one is not known."""
    found = store.info()
    names = {"console": "embedding-console", "qdrant-client": "qdrant-client", "pyarrow": "pyarrow"}
    return {
        **{word: _version(package) for word, package in names.items()},
        "python": platform.python_version(),
        "store": f"{found.kind} {found.version}".strip(),
    }


def _size(number: int) -> str:
    return f"{number / 1e6:,.0f} MB" if number >= 1e7 else f"{number / 1e3:,.0f} kB"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
