"""Whether a collection was written to since it was backed up: what is known at once, and the answer by its content."""

from console_core.backup.archive import Archive
from console_core.backup.manifest import Manifest
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionInfo, VectorStore

WRITING = ("reembed", "ingest", "catch_up", "restore", "retry", "repair", "generate")
"""Kinds of runs that write to their target."""


def is_current(archive: Archive, store: VectorStore) -> bool:
    """Whether the collection holds exactly what was backed up, whoever may have written: reads all of it.

    Raises:
        CollectionNotFound, StoreError
    """
    return archive.signature.same_as(signature_of(store, archive.manifest.collection.name))


def known_writes(manifest: Manifest, info: CollectionInfo | None, ledger: Ledger) -> str:
    """What shows without reading points that the collection is another by now, as a sentence; "" where nothing does.

    An application's writes that leave the number of points as it was do not show.
    """
    if info is None:
        return f"{manifest.collection.name} is not in the store any more."
    if info.points != manifest.points:
        return f"{info.name} holds {info.points:,} points now."
    for run in ledger.runs(kinds=WRITING, target=info.name):
        if written_by(run) and (run.heartbeat or run.created_at) > manifest.began:
            return f"Run {run.id} has written to {info.name} since."
    return ""


def written_by(run: Run) -> int:
    """How many points a run wrote; a generation also counts the pictures that it found in step."""
    return int((run.result or {}).get("embedded", 0)) if run.kind == "generate" else run.counts.done
