"""Named vectors of a Qdrant collection, found and read: `images@clip` is the vector `clip` of `images`."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from qdrant_client import models

from console_core.errors import CollectionNotFound, StoreError
from console_core.vectorstore import qdrant_vectors as vectors
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore.qdrant import BATCH, QdrantStore, point_of
from console_core.vectorstore.qdrant_collections import SAMPLE
from console_core.vectorstore.qdrant_vectors import Place
from console_core.vectorstore.sharing import AT, Sharing, splits
from console_core.vectorstore.types import CollectionInfo, Hit, Outline, Point, PointId, Vector
from console_core.vectorstore.vectors import canonical, successor
from console_core.vectorstore.ways import Search


class NamedVectors(QdrantStore):
    """What a name with an @ means, and all reading below such a name.

    A collection or an alias of Qdrant that bears such a name itself keeps its meaning. Qdrant has no alias for vectors:
    `images@searched` is noted in the metadata of `images`. An alias of Qdrant that bears this name, and leads to
    `images`, makes it known without asking every collection.
    """

    @abstractmethod
    def _cannot_change_vectors(self) -> StoreError | None:
        """Why this store cannot add a named vector to a collection, drop one, or fill it safely."""

    @property
    @abstractmethod
    def _tells_vectors(self) -> bool:
        """Whether the store can tell which points have a certain vector."""

    def _vector(self, name: str) -> Place | None:
        """The vector that a name means, an alias too; None where it means a collection as a whole, or nothing."""
        if AT not in name:
            return None
        marks = self._marks()
        if name in marks:
            searched = self._searched_as(name, marks[name])
            return searched[1] if searched else None
        names = self._names()
        if name in names:
            return None
        for collection, vector in splits(name):
            if collection not in names:
                continue
            place = vectors.place_of(collection, vector, self._raw(collection))
            if place is not None and self._tells_vectors:
                return place
        return None

    def _marks(self) -> dict[str, str]:
        """The aliases that Qdrant itself has."""
        return super().aliases()

    def _searched_as(self, alias: str, collection: str) -> tuple[str, Place] | None:
        """The vector that is searched under a name, and that name within its collection; None for an ordinary alias."""
        if not alias.startswith(f"{collection}{AT}") or not self._tells_vectors:
            return None
        within, raw = alias[len(collection) + 1 :], self._raw(collection)
        vector = vectors.aliases_in(raw.config).get(within)
        place = None if vector is None else vectors.place_of(collection, vector, raw)
        return (within, place) if place else None

    def _home(self, name: str) -> tuple[str, str] | None:
        """The collection that has, or would have, a vector of this name, and the vector; None where none would."""
        if AT not in name:
            return None
        names = self._names()
        if name in names:
            return None
        return next(((home, vector) for home, vector in splits(name) if home in names), None)

    def _collection_of(self, name: str) -> str:
        """The store's own collection that is written to under a name, there or yet to be made."""
        place = self._vector(name)
        if place is not None:
            return place.collection
        home = self._home(name)
        return home[0] if home else name

    def sharing(self, name: str) -> Sharing | None:
        """See `SharesPoints`."""
        place = self._vector(name)
        home = (place.collection, place.vector) if place else self._home(name)
        if home is None:
            return None
        config = place.raw.config if place else self._raw(home[0]).config
        refused = self._cannot_change_vectors() or (None if place else vectors.cannot_add(home[0], config))
        left = vectors.left_alone(config.params)
        return Sharing(*home, left, refused, embedded=self.info().embedded)

    def _config(self, name: str) -> models.CollectionConfig:
        place = self._vector(name)
        return place.config if place else super()._config(name)

    def _shape(self, name: str) -> words.Shape:
        place = self._vector(name)
        if place is not None:
            return words.shape(place.config.params)
        config = self._raw(name).config
        shape = words.shape(config.params)
        return replace(shape, problem=vectors.as_a_whole(name, config)) if self._splits(config) else shape

    def _splits(self, config: models.CollectionConfig) -> bool:
        return vectors.is_split(config) and self._tells_vectors

    def aliases(self) -> dict[str, str]:
        found = self._marks()
        for alias, collection in found.items():
            try:
                searched = self._searched_as(alias, collection)
            except CollectionNotFound:  # dropped meanwhile
                continue
            if searched:
                found[alias] = searched[1].name
        return found

    def _listed(self, name: str, aliases: Mapping[str, str]) -> list[CollectionInfo]:
        raw = self._raw(name)
        if not self._splits(raw.config):
            return [self._described(name, raw, aliases)]
        places = (vectors.place_of(name, vector, raw) for vector in sorted(vectors.usable(raw.config.params)))
        return [self._of_vector(place, aliases) for place in places if place]

    def describe(self, name: str) -> CollectionInfo:
        place = self._vector(name)
        return self._of_vector(place, self.aliases()) if place else super().describe(name)

    def _described(self, name: str, raw: models.CollectionInfo, aliases: Mapping[str, str]) -> CollectionInfo:
        found = super()._described(name, raw, aliases)
        return replace(found, problem=vectors.as_a_whole(name, raw.config)) if self._splits(raw.config) else found

    def _of_vector(self, place: Place, aliases: Mapping[str, str]) -> CollectionInfo:
        sample = self._read(place, place.has, SAMPLE)[0]
        payloads = [point.payload for point in sample]
        return self._told(place.name, place.raw, place.config, payloads, self._number_of(place, place.has), aliases)

    def outline(self, name: str) -> Outline:
        place = self._vector(name)
        return self._outlined(place.name, place.config) if place else super().outline(name)

    def count(self, name: str) -> int:
        place = self._vector(name)
        if place is None:
            return super().count(name)
        return self._number_of(place, place.has)

    def _number_of(self, place: Place, which: models.Filter) -> int:
        asked = partial(self._client.count, place.collection, count_filter=which, exact=True)
        return int(self._ask(asked, name=place.name).count)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        place = self._vector(name)
        if place is None:
            return super().retrieve(name, ids, vectors=vectors)
        wanted = [canonical(identifier) for identifier in ids]
        found: dict[PointId, Point] = {}
        for start in range(0, len(wanted), BATCH):
            some = list(dict.fromkeys(wanted[start : start + BATCH]))
            points, _ = self._read(place, place.has_one_of(some), len(some), vectors=vectors)
            found.update((point.id, point) for point in points)
        return [found[identifier] for identifier in wanted if identifier in found]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = BATCH, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        place = self._vector(name)
        if place is None:
            return super().page(name, after=after, limit=limit, vectors=vectors)
        offset = None if after is None else successor(canonical(after))
        if after is not None and offset is None:
            return [], None
        points, more = self._read(place, place.has, limit, offset, vectors=vectors)
        return points, points[-1].id if points and more else None

    def _read(
        self, place: Place, which: models.Filter, limit: int, offset: PointId | None = None, *, vectors: bool = False
    ) -> tuple[list[Point], bool]:
        """Points in id order as the collection of a vector has them, and whether there are more."""
        records, following = self._ask(
            lambda: self._client.scroll(
                place.collection,
                scroll_filter=which,
                limit=limit,
                offset=offset,
                with_payload=True,
                with_vectors=[place.vector] if vectors else False,
            ),
            name=place.name,
        )
        points = [point_of(record) for record in records]
        return [replace(point, payload=place.seen(point.payload)) for point in points], following is not None

    def search(
        self,
        name: str,
        vector: Vector,
        *,
        limit: int = 10,
        where: Mapping[str, Sequence[Any]] | None = None,
        way: Search = Search.USUAL,
    ) -> list[Hit]:
        place = self._vector(name)
        if place is None:
            return super().search(name, vector, limit=limit, where=where, way=way)
        hits = self._nearest(place.collection, place.config, vector, limit, where, place.filter_for, way)
        return [replace(hit, payload=place.seen(hit.payload)) for hit in hits]
