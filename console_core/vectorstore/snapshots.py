"""A server's own snapshots: whole collections as it keeps them, for a server of the same version."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from console_core.vectorstore.types import VectorStore


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`checksum` is its SHA-256, "" where the server does not tell it."""

    collection: str
    name: str
    bytes: int
    created_at: datetime | None
    checksum: str


class Snapshots(Protocol):
    """Snapshots of one server. All errors arrive as `StoreError` with a remedy. Collections go by their real names."""

    def list(self, collection: str) -> list[Snapshot]:
        """The newest first."""
        ...

    def begin(self, collection: str) -> None:
        """Ask for a snapshot, and do not wait: it is in the list once it is complete."""
        ...

    def delete(self, collection: str, name: str) -> None: ...

    def download(self, snapshot: Snapshot, file: Path) -> Iterator[int]:
        """Write it into a file, a block at a time; yields the bytes so far.

        Raises:
            StoreRefused: what came is not what the server's checksum says.
            OSError: the file cannot be written.
        """
        ...

    def recover(self, file: Path, into: str, checksum: str) -> None:
        """Make the collection `into`, which must not exist, from a snapshot's file.

        Raises:
            CollectionExists: nothing was changed.
        """
        ...

    def close(self) -> None: ...


@runtime_checkable
class KeepsSnapshots(Protocol):
    """A store that has snapshots."""

    def snapshots(self) -> Snapshots: ...


def snapshots_of(store: VectorStore) -> Snapshots | None:
    """The snapshots of a store, to be closed after use; None where it has none, as the embedded one."""
    return store.snapshots() if isinstance(store, KeepsSnapshots) else None
