"""The pictures of a sample that two collections have, their vectors row by row, and both maps of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from console_core.querylab.calibration import SIZE, Sample
from console_core.querylab.projection import Group, Maps, Method, Vectors, by_likeness, by_value, maps
from console_core.vectorstore.provenance import application_payload, picture_key, point_id, provenance
from console_core.vectorstore.types import REQUEST, CollectionInfo, Payload, Point, PointId, Vector, VectorStore

MOST = SIZE
"""Pictures on a map."""
SEED = 1
GROUPS = 12
"""Groups of alike pictures that are made."""
FEWEST_OF_A_GROUP = 5
"""Pictures below which a group's mean change says little."""
_MOST_VALUES = 50
"""Different values of a payload field beyond which it makes no groups."""


@dataclass(frozen=True, slots=True, eq=False)
class InBoth:
    """Pictures by catalog key, with their payload in the first collection, and their vectors in both, each of shape
    (n, dimension) in the order of the keys. `sampled` is how many pictures were looked for."""

    keys: tuple[str, ...]
    payloads: tuple[Payload, ...]
    first: Vectors
    second: Vectors
    sampled: int


@dataclass(frozen=True, slots=True, eq=False)
class TwoMaps:
    """Both maps, the payloads of their pictures row by row, and the pictures in groups of alike ones, the most changed
    first. `sampled` is of how many pictures of the sample they are those that both collections have."""

    maps: Maps
    payloads: tuple[Payload, ...]
    alike: tuple[Group, ...]
    sampled: int

    def fields(self) -> list[str]:
        """Payload fields whose values make groups: at least half of the pictures have one, and it is one of few."""
        counted: dict[str, Counter[str]] = {}
        for payload in self.payloads:
            for name, value in payload.items():
                if isinstance(value, str | int | bool) and value != "":
                    counted.setdefault(name, Counter())[str(value)] += 1
        return [
            name
            for name, values in sorted(counted.items())
            if 2 <= len(values) <= _MOST_VALUES and 2 * values.total() >= len(self.payloads)
        ]

    def by_value(self, field: str) -> list[Group]:
        """The pictures by the value of a payload field, the most changed group first, and in each the most changed
        pictures first."""
        groups = by_value([payload.get(field) for payload in self.payloads], self.maps.change)
        return [Group(one.name, one.size, one.change, self.most_changed(one.members)) for one in groups]

    def most_changed(self, rows: Sequence[int]) -> tuple[int, ...]:
        """These rows, the most changed first."""
        return tuple(sorted(rows, key=lambda row: (-self.maps.change[row], row)))


def in_both(store: VectorStore, sample: Sample, first: CollectionInfo, second: CollectionInfo) -> InBoth:
    """The pictures of a sample of the first collection that the second has too, at most `MOST`, in the sample's order.

    A picture is left out whose vector another model made than its collection's, or that is none.

    Raises:
        StoreError
    """
    ids = sample.ids[:MOST]
    points = _points(store, first, ids, vectors=False)
    rows: dict[str, int] = {}
    for row, identifier in enumerate(ids):
        point = points.get(identifier)
        if point is not None and _own(point, first):
            rows.setdefault(picture_key(identifier, point.payload), row)
    others = _points(store, second, [point_id(key) for key in rows], vectors=True)
    found: list[tuple[str, int, Vector]] = []
    for key, row in rows.items():
        other = others.get(point_id(key))
        vector = other.vector if other is not None and _own(other, second) else None
        if vector is not None and vector.shape == (second.dimension,) and np.isfinite(vector).all():
            found.append((key, row, vector))
    return InBoth(
        keys=tuple(key for key, _, _ in found),
        payloads=tuple(application_payload(points[ids[row]].payload) for _, row, _ in found),
        first=sample.vectors[[row for _, row, _ in found]],
        second=np.stack([vector for _, _, vector in found]) if found else np.zeros((0, second.dimension), np.float32),
        sampled=len(ids),
    )


def two_maps(pictures: InBoth, method: Method = "PCA") -> TwoMaps:
    """The maps of pictures, the same for the same vectors.

    Raises:
        Refused: there are too few pictures, or UMAP is not installed.
    """
    made = maps(pictures.keys, pictures.first, pictures.second, method=method, seed=SEED)
    alike = by_likeness(pictures.first, made.change, groups=GROUPS, seed=SEED)
    return TwoMaps(made, pictures.payloads, tuple(alike), pictures.sampled)


def worth_showing(groups: Sequence[Group]) -> list[Group]:
    """Those that are large enough for their mean to say something."""
    return [group for group in groups if group.size >= FEWEST_OF_A_GROUP]


def _points(
    store: VectorStore, info: CollectionInfo, ids: Sequence[PointId], *, vectors: bool
) -> Mapping[PointId, Point]:
    found: dict[PointId, Point] = {}
    for start in range(0, len(ids), REQUEST):
        found |= {one.id: one for one in store.retrieve(info.name, ids[start : start + REQUEST], vectors=vectors)}
    return found


def _own(point: Point, info: CollectionInfo) -> bool:
    """Whether the model of the collection made this vector, as far as the point says."""
    origin = provenance(point.payload)
    return not (info.stamp and origin and origin.fingerprint not in ("", info.stamp.fingerprint))
