"""Collections and their aliases in Qdrant, the same for the embedded store and a server."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from console_core.errors import (
    CollectionExists,
    CollectionNotFound,
    StoreError,
    StoreRefused,
)
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore import refusals
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.qdrant_errors import translated
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Outline, Payload, StoreInfo

SAMPLE = 64
"""Points that the payload fields of a collection are read from."""

T = TypeVar("T")


class QdrantCollections(ABC):
    """The part of a `VectorStore` that is about collections and aliases. `place` names the store for people."""

    def __init__(self, client: QdrantClient, place: str, traffic: Traffic | None = None) -> None:
        self._client = client
        self._place = place
        self._alone = RLock()
        self._traffic = traffic or Traffic()

    @abstractmethod
    def info(self) -> StoreInfo: ...

    @abstractmethod
    def size_on_disk(self) -> int | None: ...

    @abstractmethod
    def refuses_writes(self, name: str) -> StoreError | None: ...

    def refuses_spec(self, spec: CollectionSpec) -> StoreError | None:
        return words.refusal(spec)

    @abstractmethod
    def defer_index(self, name: str) -> None: ...

    @abstractmethod
    def restore_index(self, name: str) -> None: ...

    def _ask(self, call: Callable[[], T], *, name: str = "", again: bool = True) -> T:
        """The result of one call of the client. `again`: making it twice does no harm."""
        try:
            return call()
        except Exception as error:
            raise translated(error, self._place, name) from error

    def collections(self) -> list[CollectionInfo]:
        aliases = self.aliases()
        found = []
        for name in sorted(self._names()):
            try:
                found += self._listed(name, aliases)
            except CollectionNotFound:  # dropped since it was listed
                continue
        return found

    def _listed(self, name: str, aliases: Mapping[str, str]) -> list[CollectionInfo]:
        """What one of the store's collections is in our list of them."""
        return [self._described(name, self._raw(name), aliases)]

    def describe(self, name: str) -> CollectionInfo:
        aliases = self.aliases()
        name = aliases.get(name, name)
        return self._described(name, self._raw(name), aliases)

    def outline(self, name: str) -> Outline:
        name = self.aliases().get(name, name)
        return self._outlined(name, self._config(name))

    def _outlined(self, name: str, config: models.CollectionConfig) -> Outline:
        shape = words.shape(config.params)
        stamp = words.stamp_in(config.metadata) or self.describe(name).stamp
        return Outline(name, shape.dimension, shape.distance, stamp)

    def _described(self, name: str, raw: models.CollectionInfo, aliases: Mapping[str, str]) -> CollectionInfo:
        sample = self._ask(lambda: self._client.scroll(name, limit=SAMPLE, with_payload=True), name=name)[0]
        payloads = [record.payload or {} for record in sample]
        return self._told(name, raw, raw.config, payloads, self.count(name), aliases)

    def _told(
        self,
        name: str,
        raw: models.CollectionInfo,
        config: models.CollectionConfig,
        payloads: Sequence[Payload],
        points: int,
        aliases: Mapping[str, str],
    ) -> CollectionInfo:
        """A collection from its configuration, a sample of its payloads, and how many points it has."""
        shape = words.shape(config.params)
        wished_index, wished_quantization = self._wishes(config.metadata)
        return CollectionInfo(
            name=name,
            dimension=shape.dimension,
            distance=shape.distance,
            points=points,
            status=raw.status.value,
            stamp=words.stamp_in(config.metadata) or self._stamp_on(payloads),
            aliases=tuple(sorted(alias for alias, target in aliases.items() if target == name)),
            index=self._index(config, shape.vector_name),
            quantization=self._quantization(config, shape.vector_name),
            payload_fields=tuple(sorted({key for payload in payloads for key in application_payload(payload)})),
            vector_name=shape.vector_name,
            problem=shape.problem,
            limits=words.limits_in_force(config),
            index_deferred=words.deferred_threshold(config.metadata) is not None,
            wished_index=wished_index,
            wished_quantization=wished_quantization,
        )

    def _stamp_on(self, payloads: Sequence[Payload]) -> ModelStamp | None:
        """The stamp where the store cannot keep metadata."""
        return None

    def _index(self, config: models.CollectionConfig, vector_name: str) -> Mapping[str, Any]:
        return words.index_in_force(config, vector_name)

    def _quantization(self, config: models.CollectionConfig, vector_name: str) -> Mapping[str, Any]:
        return words.quantization_in_force(config, vector_name)

    def _wishes(self, metadata: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The index and the quantization that a collection was made with, where the store only notes them."""
        return {}, {}

    def _names(self) -> set[str]:
        return {found.name for found in self._ask(self._client.get_collections).collections}

    def _raw(self, name: str) -> models.CollectionInfo:
        return self._ask(lambda: self._client.get_collection(name), name=name)

    def _config(self, name: str) -> models.CollectionConfig:
        """The configuration of what a name means."""
        return self._raw(name).config

    def _shape(self, name: str) -> words.Shape:
        return words.shape(self._config(name).params)

    def create(self, name: str, spec: CollectionSpec) -> None:
        settings = self._settings(spec)
        vectors = words.vector_params(spec)
        with self._alone:
            target = self.aliases().get(name)
            if target or name in self._names():
                what = f'an alias of "{target}"' if target else "a collection already"
                raise CollectionExists(f'"{name}" is {what}.', "Choose another name; nothing was changed.")
            self._ask(
                lambda: self._client.create_collection(name, vectors_config=vectors, **settings),
                name=name,
                again=False,
            )

    def _settings(self, spec: CollectionSpec) -> dict[str, Any]:
        return {
            "hnsw_config": words.index_config(spec.index),
            "quantization_config": words.quantization_config(spec.quantization),
            "metadata": words.stamped(None, spec.stamp) if spec.stamp else None,
        }

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        with self._alone:
            name = self.aliases().get(name, name)
            metadata = words.stamped(self._raw(name).config.metadata, stamp)
            self._ask(lambda: self._client.update_collection(name, metadata=metadata), name=name)
            if words.stamp_in(self._raw(name).config.metadata) != stamp:
                raise StoreRefused(
                    f'{self._place} does not keep metadata, so "{name}" cannot be stamped.',
                    "Upgrade Qdrant to 1.16 or newer; until then the fingerprint on its points tells its model.",
                )

    def drop(self, name: str) -> None:
        with self._alone:
            aliases = self.aliases()
            self._must_be_collection(name, aliases)
            pointing = sorted(alias for alias, target in aliases.items() if target == name)
            if pointing:
                raise refusals.searched_through(name, pointing)
            self._ask(lambda: self._client.delete_collection(name), name=name)

    def _must_be_collection(self, name: str, aliases: Mapping[str, str]) -> None:
        if name in self._names():
            return
        if name in aliases:
            raise refusals.is_an_alias(name, aliases[name])
        raise refusals.not_found(name, self._place)

    def aliases(self) -> dict[str, str]:
        found = self._ask(self._client.get_aliases).aliases
        return {alias.alias_name: alias.collection_name for alias in found}

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        with self._alone:
            aliases = self.aliases()
            self._must_be_collection(to, aliases)
            if alias in self._names():
                raise refusals.bears_a_name(alias, "Qdrant")
            found = aliases.get(alias)
            if found != expected:
                raise refusals.not_expected(alias, found, expected)
            operation = models.CreateAliasOperation(
                create_alias=models.CreateAlias(collection_name=to, alias_name=alias)
            )
            move = partial(self._client.update_collection_aliases, [operation])
            refusals.point(alias, to, lambda: self._ask(move, name=to, again=False), self.aliases)

    def count(self, name: str) -> int:
        return int(self._ask(lambda: self._client.count(name, exact=True), name=name).count)

    def close(self) -> None:
        with self._alone:
            self._client.close()
