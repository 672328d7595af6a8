"""What a collection's index and its quantization lose of what its vectors would find: the model has no part in it.

Every way to search is compared with the exact one of the same collection and the same query vectors. So whatever is
lost here is lost by how the collection is searched, and whatever exact searches differ in is the models' doing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from console_core.querylab.comparison import Where
from console_core.querylab.effects import Effect
from console_core.querylab.probes import Kind, Probe
from console_core.querylab.rankings import Rankings
from console_core.querylab.shifts import overlap_at
from console_core.vectorstore.provenance import picture_key
from console_core.vectorstore.types import Hit, PointId, VectorStore
from console_core.vectorstore.ways import Search

K = 10
TOLERANCE = 0.02
"""The mean loss from which a part is named as a cause: one in fifty of the nearest."""
_TIES = 20
"""Exact answers beyond k that are looked at for pictures that are as near as the last one."""
_EQUAL = 1e-6
"""By how much of itself, or of 1, a score may differ by rounding alone."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What queries of one kind lose in one collection, as differences of recall@k from exact search, 0 where nothing
    is lost and below 0 where something is.

    `index` is lost by searching through the index with whole vectors, `quantization` beyond that by rounding them as
    the console searches (with rescoring); together they are `total`. `without_rescoring` is the total of an application
    that does not ask for rescoring. `overlap` is overlap@k of the usual answers with the exact ones, 0 to 1, in which a
    picture that is as near as another is not the same.
    """

    kind: Kind
    queries: int
    k: int
    total: Effect
    index: Effect
    quantization: Effect
    without_rescoring: Effect
    overlap: float

    def causes(self, tolerance: float = TOLERANCE) -> tuple[str, ...]:
        """What of "index" and "quantization" loses something for certain, and at least the tolerance on average."""
        parts = {"index": self.index, "quantization": self.quantization}
        return tuple(name for name, part in parts.items() if part.is_loss(tolerance))


Numbers = Sequence[float] | NDArray[np.float64]


@dataclass(slots=True)
class _Measured:
    recall: dict[Search, list[float]] = field(default_factory=lambda: {way: [] for way in Search})
    overlap: list[float] = field(default_factory=list)
    rankings: dict[Search, dict[str, list[str]]] = field(default_factory=lambda: {way: {} for way in Search})


class Losing:
    """A measurement in the making: each query is asked in each way. Nothing is written."""

    def __init__(
        self,
        store: VectorStore,
        collection: str,
        probes: Mapping[Kind, Sequence[Probe]],
        *,
        k: int = K,
        where: Where | None = None,
        uncounted: Callable[[], AbstractContextManager[None]] = nullcontext,
        before: Mapping[str, Sequence[Numbers]] | None = None,
    ) -> None:
        """`uncounted` is how a run asks that yields to the searches of people: see `Traffic.uncounted`. `before` is
        what `numbers` gave of the first of the same probes: those are not asked again."""
        self.collection, self.k = collection, k
        self._store, self._probes, self._where, self._uncounted = store, probes, where, uncounted
        self._measured: dict[Kind, _Measured] = {kind: _Measured() for kind in probes}
        for kind, measured in self._measured.items():
            for *recall, overlap in (before or {}).get(kind, ()):
                for way, found in zip(Search, recall, strict=True):
                    measured.recall[way].append(float(found))
                measured.overlap.append(float(overlap))

    def steps(self) -> Iterator[tuple[int, int]]:
        """Ask; after each query how many of how many were asked, with those before. May be left early.

        Raises:
            StoreError
        """
        known = {kind: len(measured.overlap) for kind, measured in self._measured.items()}
        asked, all_of_them = sum(known.values()), sum(map(len, self._probes.values()))
        for kind, probes in self._probes.items():
            for probe in probes[known[kind] :]:
                self._ask(probe, self._measured[kind])
                asked += 1
                yield asked, all_of_them

    def losses(self) -> tuple[Loss, ...]:
        """What was lost so far, for each kind of query that was asked."""
        return tuple(
            self._loss(kind, measured) for kind, measured in self._measured.items() if measured.recall[Search.EXACT]
        )

    def numbers(self) -> dict[str, list[list[float]]]:
        """What was measured so far, as plain data: for each kind a row for each query in order, its recall in each way
        (in the order of `Search`), and its overlap."""
        return {
            kind: [list(row) for row in zip(*measured.recall.values(), measured.overlap, strict=True)]
            for kind, measured in self._measured.items()
        }

    def rankings(self, kind: Kind, way: Search) -> Rankings:
        """What the queries of a kind were answered in one way: picture keys by query id, k of them.
        Those of queries that were asked before are not known."""
        return self._measured[kind].rankings[way]

    def _loss(self, kind: Kind, measured: _Measured) -> Loss:
        recall = {way: np.array(found, dtype=np.float64) for way, found in measured.recall.items()}
        exact, usual = recall[Search.EXACT], recall[Search.USUAL]
        return Loss(
            kind=kind,
            queries=len(exact),
            k=self.k,
            total=Effect.of(usual - exact),
            index=Effect.of(recall[Search.UNQUANTIZED] - exact),
            quantization=Effect.of(usual - recall[Search.UNQUANTIZED]),
            without_rescoring=Effect.of(recall[Search.WITHOUT_RESCORING] - exact),
            overlap=float(np.mean(measured.overlap)),
        )

    def _ask(self, probe: Probe, measured: _Measured) -> None:
        found = {way: self._hits(probe, way, _TIES if way is Search.EXACT else 0) for way in Search}
        near, wanted = _as_near(found[Search.EXACT], self.k)
        for way, hits in found.items():
            right = sum(hit.id in near for hit in hits[: self.k])
            measured.recall[way].append(right / wanted if wanted else 1.0)
            measured.rankings[way][probe.query] = [picture_key(hit.id, hit.payload) for hit in hits[: self.k]]
        true, usual = (measured.rankings[way][probe.query] for way in (Search.EXACT, Search.USUAL))
        measured.overlap.append(overlap_at(true, usual, self.k))

    def _hits(self, probe: Probe, way: Search, more: int) -> list[Hit]:
        limit = self.k + more + (probe.itself is not None)
        with self._uncounted():
            hits = self._store.search(self.collection, probe.vector, limit=limit, where=self._where, way=way)
        return [hit for hit in hits if hit.id != probe.itself]


def _as_near(exact: Sequence[Hit], k: int) -> tuple[set[PointId], int]:
    """The points that are as near as the k nearest, and how many of them a search should find."""
    if not exact:
        return set(), 0
    last = exact[:k][-1].score
    floor = last - _EQUAL * max(1.0, abs(last))
    return {hit.id for hit in exact if hit.score >= floor}, min(k, len(exact))


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose doing a change of quality between two columns is, as means over queries: below 0 it became worse.

    `total` is what people see, with both columns searched as usual. `model` is what remains where both are searched
    exactly. `searching` is what the new column loses by how it is searched, less what the old one loses.
    `total` = `model` + `searching`.
    """

    queries: int
    total: Effect
    model: Effect
    searching: Effect

    def causes(self, tolerance: float = TOLERANCE) -> tuple[str, ...]:
        """What of "model" and "index" made it worse for certain, and by at least the tolerance on average. "index" is
        both index and quantization; `Loss` tells them apart."""
        parts = {"model": self.model, "index": self.searching}
        return tuple(name for name, part in parts.items() if part.is_loss(tolerance))


def attribute(
    old: Mapping[Search, Numbers],
    new: Mapping[Search, Numbers],
    *,
    effect: Callable[[NDArray[np.float64]], Effect] = Effect.of,
) -> Attribution:
    """Split the change of a metric, one number for each query in the same order, searched as usual and exactly.

    The metric is computed from judgments of all four rankings: what only an exact search finds must have been judged
    too, or the index would be blamed for what nobody looked at. `effect` gives the mean of differences with its
    interval; the usual one lets all queries count alike.

    Raises:
        ValueError: the numbers are not of the same queries, or not finite.
    """
    before, after = (
        {way: np.asarray(column[way], dtype=np.float64) for way in (Search.USUAL, Search.EXACT)}
        for column in (old, new)
    )
    numbers = [*before.values(), *after.values()]
    if len({len(some) for some in numbers}) != 1 or not all(np.isfinite(some).all() for some in numbers):
        raise ValueError("Each of the four needs one finite number for each query.")
    model = after[Search.EXACT] - before[Search.EXACT]
    total = after[Search.USUAL] - before[Search.USUAL]
    return Attribution(len(total), effect(total), effect(model), effect(total - model))
