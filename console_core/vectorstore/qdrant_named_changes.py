"""Named vectors of a Qdrant collection, made and dropped, stamped, and given the name that is searched."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from qdrant_client import models

from console_core.errors import (
    AliasConflict,
    CollectionExists,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from console_core.vectorstore import qdrant_vectors as vectors
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore import refusals
from console_core.vectorstore.provenance import FIELD
from console_core.vectorstore.qdrant_named import NamedVectors
from console_core.vectorstore.qdrant_vectors import Place
from console_core.vectorstore.sharing import AT
from console_core.vectorstore.types import CollectionSpec, ModelStamp

_STAMP = ("model", "fingerprint", "preprocess")


class ChangesVectors(NamedVectors):
    """Everything but the writing of points."""

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        with self._alone:
            place = self._vector(name)
            if place is None:
                super().stamp(name, stamp)
                return
            told = words.stamped(place.config.metadata, stamp)[FIELD]
            self._noted(place, {key: told[key] for key in _STAMP if key in told})
            if words.stamp_in(self._config(place.name).metadata) != stamp:
                raise StoreRefused(
                    f'{self._place} does not keep metadata, so "{place.name}" cannot be stamped.',
                    "Upgrade Qdrant to 1.18 or newer; until then the fingerprint on its points tells its model.",
                )

    def _noted(self, place: Place, what: dict[str, Any] | None = None) -> Place:
        """A vector of which something is noted now, at least where the console's payload of its points is."""
        with self._alone:
            self._note(place.collection, vectors.with_vector(place.metadata, place.vector, place.number, what or {}))
            again = self._vector(place.name)
        if again is None:
            raise refusals.not_found(place.name, self._place)
        return again

    def _note(self, collection: str, metadata: dict[str, Any]) -> None:
        self._ask(lambda: self._client.update_collection(collection, metadata=metadata), name=collection)

    def create(self, name: str, spec: CollectionSpec) -> None:
        home = self._home(name)
        if home is None:
            super().create(name, spec)
            return
        collection, vector = home
        settings = self._settings(spec)
        params = words.vector_params(replace(spec, vector_name=vector))
        assert isinstance(params, dict)
        with self._alone:
            config = self._raw(collection).config
            self._refuse_taken(name, vector, config)
            if refused := self._cannot_change_vectors() or vectors.cannot_add(collection, config):
                raise refused
            self._note(collection, _with_new(config, vector, (settings.pop("metadata") or {}).get(FIELD, {})))
            try:
                self._add(collection, vector, params[vector], settings)
            except StoreError:
                self._forget(collection, vector)
                raise

    def _refuse_taken(self, name: str, vector: str, config: models.CollectionConfig) -> None:
        alias = self.aliases().get(name)
        there = vector in vectors.named(config.params) or vector in vectors.left_alone(config.params)
        if alias or there:
            what = f'an alias of "{alias}"' if alias else "a named vector already"
            raise CollectionExists(f'"{name}" is {what}.', "Choose another name; nothing was changed.")

    def _add(self, collection: str, vector: str, params: models.VectorParams, settings: dict[str, Any]) -> None:
        """Add an empty vector. Its index and quantization cannot be told with it, and are set right after."""
        dense = models.DenseVectorNameConfig(dense=models.DenseVectorConfig(size=params.size, distance=params.distance))
        self._done(partial(self._client.create_vector_name, collection, vector, dense), collection, "a new vector")
        wished = {key: value for key, value in settings.items() if value is not None}
        if wished:
            change = {vector: models.VectorParamsDiff(**wished)}
            self._ask(lambda: self._client.update_collection(collection, vectors_config=change), name=collection)

    def _forget(self, collection: str, vector: str) -> None:
        """Undo what came of making a vector, as far as the store still answers, and nobody else made and filled it."""
        try:
            place = vectors.place_of(collection, vector, self._raw(collection))
            if place is not None and not self._number_of(place, place.has):
                self._client.delete_vector_name(collection, vector)
            metadata = self._raw(collection).config.metadata
            self._note(collection, vectors.without_vector(metadata, vector, None))
        except Exception:  # what made it fail is told; a vector that is left is empty, and can be filled or dropped
            return

    def _done(self, change: Callable[[], models.UpdateResult], collection: str, what: str) -> None:
        def made() -> None:
            if change().status != models.UpdateStatus.COMPLETED:
                raise StoreUnavailable(
                    f"{self._place} took {what} of {collection} but did not confirm in time that it is durable.",
                    "Do it again, which does no harm; look at the server's load.",
                )

        self._ask(made, name=collection)

    def drop(self, name: str) -> None:
        """A vector is dropped from its collection, and with it the points that have no other one."""
        with self._alone:
            place = self._vector(name)
            if place is None:
                self._refuse_whole(name)
                super().drop(name)
                return
            aliases = self.aliases()
            if name in aliases:
                raise refusals.is_an_alias(name, aliases[name])
            if pointing := sorted(alias for alias, target in aliases.items() if target == name):
                raise refusals.searched_through(name, pointing)
            if not place.siblings:
                raise StoreRefused(
                    f'"{name}" is the last vector of "{place.collection}", which the console never deletes as a whole.',
                    "Delete the collection itself, with your own tools, if its points are not needed any more.",
                )
            if refused := self._cannot_change_vectors():
                raise refused
            self._take_away(place)

    def _refuse_whole(self, name: str) -> None:
        if name in self._names() and self._splits(config := self._raw(name).config):
            raise StoreRefused(
                f'"{name}" is not deleted as a whole. {vectors.as_a_whole(name, config)}', "Drop these one by one."
            )

    def _take_away(self, place: Place) -> None:
        name, client = place.collection, self._client
        self._done(partial(client.delete, name, self._only_here(place), wait=True), name, "points")
        self._done(partial(client.delete_vector_name, name, place.vector), name, "a vector")
        if place.number is not None:
            self._clear(name, place.field)
        self._note(name, vectors.without_vector(self._raw(name).config.metadata, place.vector, place.number))

    def _clear(self, collection: str, field: str) -> None:
        """Take a payload field off all points that have it; a strict server lets only all points be named."""
        empty = models.IsEmptyCondition(is_empty=models.PayloadField(key=field))
        those, everywhere = models.Filter(must_not=[empty]), models.Filter()
        clear = partial(self._client.delete_payload, collection, [field], wait=True)
        try:
            self._done(partial(clear, points=those), collection, "payload fields")
        except StoreRefused:
            self._done(partial(clear, points=everywhere), collection, "payload fields")

    def _only_here(self, place: Place, ids: list[Any] | None = None) -> models.Filter:
        """Points that have this vector and no other one; of these ids where some are given."""
        which = place.has if ids is None else place.has_one_of(ids)
        other: list[models.Condition] = [models.HasVectorCondition(has_vector=vector) for vector in place.others]
        return which.model_copy(update={"must_not": other or None})

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        with self._alone:
            place, home = self._vector(to), self._home_of_alias(alias)
            if place is None and home is None:
                super().set_alias(alias, to, expected=expected)
                return
            aliases = self.aliases()
            if to in aliases:
                raise refusals.is_an_alias(to, aliases[to])
            if place is None or home is None or home[0] != place.collection:
                if place is None and to not in self._names():
                    raise refusals.not_found(to, self._place)
                raise _of_another(alias, to, home[0] if home else place.collection if place else "")
            if home[1] in vectors.named(self._raw(home[0]).config.params):
                raise refusals.bears_a_name(alias, "Qdrant")
            if (found := aliases.get(alias)) != expected:
                raise refusals.not_expected(alias, found, expected)
            refusals.point(alias, to, lambda: self._search_by(alias, home[1], place), self.aliases)

    def _home_of_alias(self, alias: str) -> tuple[str, str] | None:
        """The collection in whose metadata an alias is or would be, and its name there; None for one of Qdrant's."""
        found = self._home(alias)
        leads = self._marks().get(alias) if found else None
        return found if found and leads in (None, found[0]) else None

    def _search_by(self, alias: str, within: str, place: Place) -> None:
        """One call moves the alias; the mark that makes it known is made once, after the first."""
        number = vectors.with_vector(place.metadata, place.vector, place.number, {}) if place.alone else place.metadata
        self._note(place.collection, vectors.with_alias(number, within, place.vector))
        if self._marks().get(alias) is None:
            create = models.CreateAlias(collection_name=place.collection, alias_name=alias)
            mark = [models.CreateAliasOperation(create_alias=create)]
            self._ask(partial(self._client.update_collection_aliases, mark), name=place.collection, again=False)


def _with_new(config: models.CollectionConfig, vector: str, noted: dict[str, Any]) -> dict[str, Any]:
    """The metadata with a vector that is about to be made. The only one that was there keeps the points' payload."""
    metadata: dict[str, Any] = vectors.without_vector(config.metadata, vector, None)
    if not vectors.is_split(config):
        for only in vectors.usable(config.params):
            metadata = vectors.with_vector(metadata, only, 0, {})
    return vectors.with_vector(metadata, vector, None, noted)


def _of_another(alias: str, to: str, home: str) -> AliasConflict:
    return AliasConflict(
        f'"{alias}" cannot lead to "{to}": a name that begins with "{home}{AT}" leads to a named vector of "{home}", '
        "and no other name does.",
        f'Name a vector of "{home}", and an alias that begins with "{home}{AT}", such as {home}{AT}searched.',
    )
