"""Snapshots of a Qdrant server: made there, streamed here, and recovered by uploading them."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urljoin

import httpx
from qdrant_client import QdrantClient, models

from console_core.errors import CollectionExists, StoreError, StoreRefused, StoreUnavailable
from console_core.vectorstore.qdrant_errors import translated
from console_core.vectorstore.snapshots import Snapshot

T = TypeVar("T")


class QdrantSnapshots:
    """Over a client of its own, which waits longer: the answer to an upload comes when the collection is there."""

    def __init__(
        self,
        client: QdrantClient,
        place: str,
        headers: Mapping[str, str],
        whole: Callable[[str], str] = lambda collection: collection,
    ) -> None:
        """`whole` tells the store's own collection that a collection is, or is one named vector of."""
        self._client = client
        self._place = place
        self._headers = dict(headers)
        self._whole = whole

    def list(self, collection: str) -> list[Snapshot]:
        if self._whole(collection) != collection:
            return []
        found = self._ask(lambda: self._client.list_snapshots(collection), collection)
        snapshots = [_snapshot(collection, one) for one in found]
        return sorted(snapshots, key=lambda one: (one.created_at or datetime.min.replace(tzinfo=UTC), one.name))[::-1]

    def begin(self, collection: str) -> None:
        if (whole := self._whole(collection)) != collection:
            raise StoreRefused(
                f"A snapshot would be of {whole} as a whole, with all of its vectors; {collection} is one of them.",
                "Back it up into a portable archive, or take a snapshot of the whole with your own tools.",
            )
        self._ask(lambda: self._client.create_snapshot(collection, wait=False), collection)

    def delete(self, collection: str, name: str) -> None:
        self._ask(lambda: self._client.delete_snapshot(collection, name, wait=True), collection)

    def download(self, snapshot: Snapshot, file: Path) -> Iterator[int]:
        """As `Snapshots.download`. The file is there whole or not at all."""
        draft = file.with_name(file.name + ".tmp")
        path = f"collections/{quote(snapshot.collection, safe='')}/snapshots/{quote(snapshot.name, safe='')}"
        api = self._client.http.snapshots_api.api_client
        url = urljoin(api.host.rstrip("/") + "/", path)
        digest, size = hashlib.sha256(), 0
        try:
            with httpx.stream("GET", url, headers=self._headers, timeout=60) as answer, draft.open("wb") as stream:
                if answer.status_code != 200:
                    raise StoreRefused(
                        f"{self._place} does not give out the snapshot {snapshot.name} (status {answer.status_code}).",
                        "Look at the list of snapshots; it may have been deleted.",
                    )
                for block in answer.iter_bytes(1 << 20):
                    stream.write(block)
                    digest.update(block)
                    size += len(block)
                    yield size
            if snapshot.checksum not in ("", digest.hexdigest()):
                raise StoreRefused(
                    f"The snapshot {snapshot.name} did not arrive as the server made it: its checksum is another.",
                    "Download it again; nothing was kept of it.",
                )
            draft.replace(file)
        except httpx.HTTPError as error:
            raise StoreUnavailable(
                f"{self._place} stopped answering while the snapshot {snapshot.name} was downloaded: {error}.",
                "Check the network and the server, then try again.",
            ) from error
        finally:
            draft.unlink(missing_ok=True)

    def recover(self, file: Path, into: str, checksum: str) -> None:
        """As `Snapshots.recover`. With the usual priority the server would prefer its own, empty state."""
        if into in {found.name for found in self._ask(self._client.get_collections, into).collections}:
            raise CollectionExists(f'"{into}" is a collection already.', "Choose another name; nothing was changed.")
        with file.open("rb") as stream:
            self._ask(
                lambda: self._client.http.snapshots_api.recover_from_uploaded_snapshot(
                    into,
                    wait=True,
                    priority=models.SnapshotPriority.SNAPSHOT,
                    checksum=checksum,
                    snapshot=stream,
                ),
                into,
            )

    def close(self) -> None:
        self._client.close()

    def _ask(self, call: Callable[[], T], name: str) -> T:
        try:
            return call()
        except StoreError:
            raise
        except Exception as error:
            raise translated(error, self._place, name) from error


def _snapshot(collection: str, found: models.SnapshotDescription) -> Snapshot:
    return Snapshot(collection, found.name, found.size, _moment(found.creation_time), found.checksum or "")


def _moment(text: str | None) -> datetime | None:
    """Qdrant tells UTC without saying so."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
