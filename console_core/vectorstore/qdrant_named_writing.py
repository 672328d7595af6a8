"""Points of a named vector written and deleted, so that the point's other vectors and its payload stay as they are."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from qdrant_client import models

from console_core.errors import CollectionNotFound, StoreRefused, StoreUnavailable
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore.provenance import FIELD, application_payload
from console_core.vectorstore.qdrant import BATCH
from console_core.vectorstore.qdrant_filters import WITHIN
from console_core.vectorstore.qdrant_named_changes import ChangesVectors
from console_core.vectorstore.qdrant_vectors import Place
from console_core.vectorstore.types import Payload, Point, PointId
from console_core.vectorstore.vectors import canonical, plain_vectors, unit_vectors

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_TRIES = 3

Row = tuple[Point, list[float]]


class FillsVectors(ChangesVectors):
    """A whole `VectorStore` below names with an @ too, but for how a call is made.

    What is written with a vector that came later goes into a payload field of its own, so that neither the payload of
    the application nor what the console knows of another vector changes. A point that is not there yet is made with
    this vector alone, and with the payload for the application too.
    """

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        place = self._vector(name)
        if place is None:
            return super().upsert(name, points, as_is=as_is)
        if not points:
            return 0
        if refused := self._cannot_change_vectors():
            raise refused
        dimension = words.shape(place.config.params).dimension
        vectors = (plain_vectors if as_is else unit_vectors)(points, dimension, place.name)
        rows = {canonical(point.id): (point, row) for point, row in zip(points, vectors.tolist(), strict=True)}
        self._make_room(place.collection, list(rows))
        if place.number is None:
            place = self._noted(place)
        wanted = list(rows.items())
        for start in range(0, len(wanted), BATCH):
            self._fill(place, dict(wanted[start : start + BATCH]))
        return len(points)

    def _fill(self, place: Place, rows: dict[PointId, Row]) -> None:
        """Write a request's worth. Points that appear or disappear meanwhile are looked at again."""
        for _ in range(_TRIES):
            known = self._payloads(place, list(rows))
            new = {identifier: row for identifier, row in rows.items() if identifier not in known}
            operations = _updates(place, {key: row for key, row in rows.items() if key in known}, known)
            if new:
                operations.append(_insertion(place, new))
            try:
                self._all_done(place, operations, len(rows))
            except (CollectionNotFound, StoreRefused):
                if self._payloads(place, list(known)).keys() == known.keys():
                    raise
                continue
            rows = {key: new[key] for key in new.keys() - self._there(place, list(new))}
            if not rows:
                return
        raise StoreUnavailable(
            f"Somebody else goes on making and deleting points of {place.collection} that are being written.",
            "Resume when that has ended; what was acknowledged is kept.",
        )

    def _payloads(self, place: Place, ids: list[PointId]) -> dict[PointId, Payload]:
        """Those of the points that are there, whatever vectors they have, with their whole payload."""
        if not ids:
            return {}
        read = partial(self._client.retrieve, place.collection, ids, with_payload=place.number == 0)
        found = self._ask(read, name=place.collection)
        return {canonical(cast(PointId, record.id)): record.payload or {} for record in found}

    def _there(self, place: Place, ids: list[PointId]) -> set[PointId]:
        return {point.id for point in self._read(place, place.has_one_of(ids), len(ids))[0]} if ids else set()

    def _all_done(self, place: Place, operations: list[models.UpdateOperation], number: int) -> None:
        def made() -> None:
            results = self._client.batch_update_points(place.collection, operations, wait=True)
            if any(result.status != models.UpdateStatus.COMPLETED for result in results):
                raise StoreUnavailable(
                    f"{self._place} took the writing of {number} points but did not confirm in time that it is "
                    "durable.",
                    "It will be done again on resume, which does no harm; look at the server's load.",
                )

        self._ask(made, name=place.name)

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        """Vectors are taken away, and with them the points that have no other one."""
        place = self._vector(name)
        if place is None:
            super().delete(name, ids)
            return
        wanted = [canonical(identifier) for identifier in ids]
        collection, client = place.collection, self._client
        for start in range(0, len(wanted), BATCH):
            some: list[Any] = list(wanted[start : start + BATCH])
            here, one_of = place.has_one_of(some), models.Filter(must=[models.HasIdCondition(has_id=some)])
            what = f"the deletion of {len(some)} points"
            self._done(partial(client.delete, collection, self._only_here(place, some), wait=True), collection, what)
            self._done(partial(client.delete_vectors, collection, [place.vector], here, wait=True), collection, what)
            if place.number is not None:  # else the field is another vector's
                fields = partial(client.delete_payload, collection, [place.field], one_of, wait=True)
                self._done(fields, collection, what)


def _updates(place: Place, rows: dict[PointId, Row], known: dict[PointId, Payload]) -> list[models.UpdateOperation]:
    """Payloads first: a vector without what the console knows of it would be taken for somebody else's."""
    if not rows:
        return []
    operations: list[models.UpdateOperation] = []
    for identifier, (point, _) in rows.items():
        payload = _written(place, point.payload)
        change = models.SetPayload(payload=payload, points=[identifier])
        operations.append(models.SetPayloadOperation(set_payload=change))
        if place.number == 0 and (gone := _gone(known[identifier], payload)):
            keys = models.DeletePayload(keys=gone, points=[identifier])
            operations.append(models.DeletePayloadOperation(delete_payload=keys))
    vectors = [models.PointVectors(id=key, vector={place.vector: row}) for key, (_, row) in rows.items()]
    operations.append(models.UpdateVectorsOperation(update_vectors=models.UpdateVectors(points=vectors)))
    return operations


def _insertion(place: Place, rows: dict[PointId, Row]) -> models.UpdateOperation:
    """New points; one that somebody else made since it was looked for is not touched."""
    points = [
        models.PointStruct(
            id=identifier,
            vector={place.vector: row},
            payload={**application_payload(point.payload), **_written(place, point.payload)},
        )
        for identifier, (point, row) in rows.items()
    ]
    new = models.PointsList(points=points, update_mode=models.UpdateMode.INSERT_ONLY)
    return models.UpsertOperation(upsert=new)


def _written(place: Place, payload: Payload) -> dict[str, Any]:
    return {place.field: {WITHIN: dict(payload)}} if place.number else dict(payload)


def _gone(before: Payload, after: Payload) -> list[str]:
    """Payload fields of the application that are not there any more, as paths."""
    theirs = [*application_payload(before), *([FIELD] if FIELD in before else [])]
    return [name if _PLAIN.fullmatch(name) else f'"{name}"' for name in theirs if name not in after]
