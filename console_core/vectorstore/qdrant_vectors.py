"""Several named vectors of one Qdrant collection, each as a collection: which there are, and what is noted of each.

A collection's metadata keep it, below the key that is the console's:

    _console:
      model, fingerprint, …                 of the vector with the number 0, as where it is the only one
      aliases: {searched: clip}             `images@searched` leads to `images@clip`; applications read it here
      vectors: {clip: {number: 0},          0: the points' own payload, with its `_console`, is that of this vector
                siglip: {number: 1, …}}     1: what the console wrote with this vector is in the field `_console_1`
      numbered: 1                           no number is given twice
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import models

from console_core.errors import StoreRefused
from console_core.vectorstore.provenance import FIELD, application_payload
from console_core.vectorstore.qdrant_filters import WITHIN, filter_for, filter_within
from console_core.vectorstore.sharing import AT
from console_core.vectorstore.types import Payload

_NOTES = ("aliases", "vectors", "numbered")
_OF_ALL = ("deferred_indexing_threshold",)
"""Noted for the whole collection, whichever vector is looked at."""


@dataclass(frozen=True, slots=True)
class Place:
    """A named vector of a collection, which is told by `raw`. `config` is as if that vector were its only one.

    `siblings` are the other vectors that are collections, `others` all others, of any kind. `number` tells where the
    console's payload of a point is; None where nothing was noted of the vector yet. `alone`: it is the only one, and
    the collection goes by its plain name.
    """

    collection: str
    vector: str
    raw: models.CollectionInfo
    config: models.CollectionConfig
    siblings: tuple[str, ...]
    others: tuple[str, ...]
    number: int | None
    alone: bool

    @property
    def name(self) -> str:
        return f"{self.collection}{AT}{self.vector}"

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The whole collection's."""
        return self.raw.config.metadata or {}

    @property
    def field(self) -> str:
        """The payload field that is the console's for this vector, where it has a number."""
        return f"{FIELD}_{self.number}" if self.number else FIELD

    @property
    def has(self) -> models.Filter:
        """The points that are in this collection: those that have the vector."""
        return models.Filter(must=[models.HasVectorCondition(has_vector=self.vector)])

    def has_one_of(self, ids: list[Any]) -> models.Filter:
        """Those of them that have one of the ids."""
        one_of = models.HasIdCondition(has_id=ids)
        return models.Filter(must=[one_of, models.HasVectorCondition(has_vector=self.vector)])

    def filter_for(self, where: Mapping[str, Any] | None) -> models.Filter | None:
        return filter_within(self.field, where) if self.number else filter_for(where)

    def seen(self, payload: Payload) -> Payload:
        """A point's payload as the collection of this vector has it: what was written with the vector, or else what the
        point has of the application's."""
        if self.number:
            own = payload.get(self.field)
            within = own.get(WITHIN) if isinstance(own, Mapping) else None
            if isinstance(within, Mapping):
                return within
        theirs = application_payload(payload)
        return {**theirs, FIELD: payload[FIELD]} if self.number == 0 and FIELD in payload else theirs


def named(parameters: models.CollectionParams) -> Mapping[str, models.VectorParams]:
    """All dense vectors and multivectors of a collection; "" is the name of one that has none."""
    vectors = parameters.vectors
    return {"": vectors} if isinstance(vectors, models.VectorParams) else vectors or {}


def usable(parameters: models.CollectionParams) -> dict[str, models.VectorParams]:
    """The vectors that can be collections: dense, one a point, of numbers that are not whole."""
    if parameters.sharding_method == models.ShardingMethod.CUSTOM:
        return {}
    return {
        name: vector
        for name, vector in named(parameters).items()
        if vector.multivector_config is None and vector.datatype != models.Datatype.UINT8
    }


def left_alone(parameters: models.CollectionParams) -> tuple[str, ...]:
    """The names of sparse vectors, multivectors and others that the console neither reads nor writes."""
    can = usable(parameters)
    return (*(name for name in named(parameters) if name not in can), *(parameters.sparse_vectors or {}))


def aliases_in(config: models.CollectionConfig) -> dict[str, str]:
    """The names under which vectors of a collection are searched, each with its vector, as far as that is there."""
    can = usable(config.params)
    return {str(name): vector for name, vector in _notes(config.metadata, "aliases").items() if vector in can}


def is_split(config: models.CollectionConfig) -> bool:
    """Whether the vectors of a collection are collections of their own, and not the collection as a whole."""
    can = usable(config.params)
    if not can:
        return False
    if len(named(config.params)) > 1 or aliases_in(config):
        return True
    return any(_number(config.metadata, name) for name in can)


def place_of(collection: str, vector: str, raw: models.CollectionInfo) -> Place | None:
    """A vector of a collection; None where it has none of that name, or one that cannot be a collection."""
    config = raw.config
    can = usable(config.params)
    if vector not in can:
        return None
    alone = not is_split(config)
    number = _number(config.metadata, vector)
    number = 0 if number is None and alone else number
    only = config.params.model_copy(update={"vectors": {vector: can[vector]}, "sparse_vectors": None})
    view = config.model_copy(update={"params": only, "metadata": _own(config.metadata, vector, number)})
    others = [name for name in (*named(config.params), *(config.params.sparse_vectors or {})) if name != vector]
    siblings = [name for name in can if name != vector]
    return Place(collection, vector, raw, view, tuple(siblings), tuple(others), number, alone)


def as_a_whole(collection: str, config: models.CollectionConfig) -> str:
    """Why a collection whose vectors are collections of their own is not one as a whole."""
    said = ", ".join(f'"{name}"' for name in named(config.params))
    several = len(named(config.params)) > 1
    which = f"{len(named(config.params))} named vectors ({said})" if several else f"the named vector {said}"
    called = ", ".join(f"{collection}{AT}{name}" for name in sorted(usable(config.params)))
    return f"It has {which}, {'each of which' if several else 'which'} is a collection of its own: {called}."


def cannot_add(collection: str, config: models.CollectionConfig) -> StoreRefused | None:
    """Why no named vector can be added to a collection, whatever the store; None where one can."""
    if isinstance(config.params.vectors, models.VectorParams):
        return StoreRefused(
            f'The vector of "{collection}" has no name. If one with a name was added beside it, an application that '
            "writes points with a plain list of numbers would be refused from then on.",
            f'Build a parallel collection: give it a name that does not begin with "{collection}{AT}".',
        )
    if config.params.sharding_method == models.ShardingMethod.CUSTOM:
        return StoreRefused(
            f'"{collection}" is sharded by the application\'s own keys, which the console does not know.',
            f'Build a parallel collection: give it a name that does not begin with "{collection}{AT}".',
        )
    return None


def with_vector(
    metadata: Mapping[str, Any] | None, vector: str, number: int | None, noted: Mapping[str, Any]
) -> dict[str, Any]:
    """What to write into a collection's metadata to note something of a vector; one without a number is given one."""
    ours = _ours(metadata)
    last = int(ours.get("numbered", 0))
    record = {"number": last + 1 if number is None else number}
    if number == 0:
        ours |= noted
    else:
        record = {**_record(metadata, vector), **record, **noted}
    records = {**_notes(metadata, "vectors"), vector: record}
    return {FIELD: {**ours, "vectors": records, "numbered": max(last, record["number"])}}


def without_vector(metadata: Mapping[str, Any] | None, vector: str, number: int | None) -> dict[str, Any]:
    """The same once a vector is gone."""
    ours = _ours(metadata)
    records = {name: record for name, record in _notes(metadata, "vectors").items() if name != vector}
    if number == 0:
        ours = {name: value for name, value in ours.items() if name in (*_NOTES, *_OF_ALL)}
    return {FIELD: {**ours, "vectors": records}}


def with_alias(metadata: Mapping[str, Any] | None, alias: str, vector: str) -> dict[str, Any]:
    """What to write into a collection's metadata for a name under which a vector is searched."""
    return {FIELD: {**_ours(metadata), "aliases": {**_notes(metadata, "aliases"), alias: vector}}}


def _own(metadata: Mapping[str, Any] | None, vector: str, number: int | None) -> dict[str, Any]:
    """The metadata as if the vector were the only one."""
    ours = _ours(metadata)
    if number == 0:
        told = {name: value for name, value in ours.items() if name not in _NOTES}
    else:
        told = _record(metadata, vector) | {name: ours[name] for name in _OF_ALL if name in ours}
    return {**(metadata or {}), FIELD: told}


def _number(metadata: Mapping[str, Any] | None, vector: str) -> int | None:
    number = _record(metadata, vector).get("number")
    return number if isinstance(number, int) else None


def _record(metadata: Mapping[str, Any] | None, vector: str) -> dict[str, Any]:
    record = _notes(metadata, "vectors").get(vector)
    return dict(record) if isinstance(record, Mapping) else {}


def _notes(metadata: Mapping[str, Any] | None, kind: str) -> Mapping[str, Any]:
    found = _ours(metadata).get(kind)
    return found if isinstance(found, Mapping) else {}


def _ours(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    found = (metadata or {}).get(FIELD)
    return dict(found) if isinstance(found, Mapping) else {}
