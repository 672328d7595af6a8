"""Two models' view of the same pictures as two maps, and how much each picture's neighbourhood changed. Pure.

Distances across maps are not comparable: each shows how one model orders the pictures, flattened to two dimensions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from console_core.errors import Refused
from console_core.querylab.umap_process import flattened

Vectors = NDArray[np.float32]
Flat = NDArray[np.float64]
Method = Literal["PCA", "UMAP"]
NEIGHBOURS = 10
"""Of a picture within the sample, by which its neighbourhood is compared."""
FEWEST = 20
"""Pictures below which no map says anything."""
_ROWS = 512
"""Pictures whose neighbours are looked for at a time."""


@dataclass(frozen=True, slots=True)
class Maps:
    """The same pictures in two maps, row by row of (n, 2).

    `change` is for each picture how much its nearest neighbours differ, 0 to 1: one minus the Jaccard index of those
    in both. `explained` is the share of the variance that each map shows; None for UMAP, which has none.
    """

    keys: tuple[str, ...]
    first: Flat
    second: Flat
    change: NDArray[np.float64]
    method: Method
    seed: int
    explained: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that belong together, the most typical first: how many, and their mean change."""

    name: str
    size: int
    change: float
    members: tuple[int, ...]


def has_umap() -> bool:
    """Whether UMAP is installed. Does not import it, which takes seconds."""
    return find_spec("umap") is not None


def maps(keys: Sequence[str], a: Vectors, b: Vectors, *, method: Method = "PCA", seed: int = 1) -> Maps:
    """Both maps of pictures whose vectors of the two models stand in the same rows.

    The second map is turned, and mirrored where that helps, to lie over the first as well as it can (orthogonal
    Procrustes; Schönemann 1966), which changes no distance within it.

    Raises:
        Refused: there are too few pictures, or UMAP is not installed.
    """
    if len(keys) < FEWEST:
        raise Refused(f"Both collections have {len(keys)} pictures of the sample.", f"A map needs {FEWEST} or more.")
    one, other = _lengths_one(a), _lengths_one(b)
    if method == "PCA":
        (first, of_first), (second, of_second) = _pca(one), _pca(other)
        explained: tuple[float, float] | None = of_first, of_second
    else:
        (first, second), explained = _umap(one, other, seed=seed), None
    change = neighbourhood_change(one, other, k=min(NEIGHBOURS, len(keys) - 1))
    return Maps(tuple(keys), first, _laid_over(second, first), change, method, seed, explained)


def neighbourhood_change(a: Vectors, b: Vectors, *, k: int) -> NDArray[np.float64]:
    """For each row one minus the Jaccard index of its k nearest other rows in both. Of equal cosines the first row
    counts. Work is quadratic in the rows, memory is not."""
    found = np.empty(len(a))
    for start in range(0, len(a), _ROWS):
        near, far = (_nearest(vectors, start, k) for vectors in (a, b))
        for row, (one, other) in enumerate(zip(near, far, strict=True), start=start):
            common = len(np.intersect1d(one, other, assume_unique=True))
            found[row] = 1 - common / (2 * k - common)
    return found


def by_value(values: Sequence[Any], change: NDArray[np.float64]) -> list[Group]:
    """The pictures by a payload field's value, the most changed first; those without one under "–"."""
    members: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        members.setdefault("–" if value is None or value == "" else str(value), []).append(row)
    return _ranked({name: np.array(rows) for name, rows in members.items()}, change)


def by_likeness(vectors: Vectors, change: NDArray[np.float64], *, groups: int, seed: int = 1) -> list[Group]:
    """The pictures in groups of alike ones (k-means on the first model's vectors, seeded), the most changed first; the
    most typical pictures lead each group."""
    from scipy.cluster.vq import kmeans2

    unit = _lengths_one(vectors)
    centres, belongs = kmeans2(
        unit.astype(np.float64), min(groups, len(unit)), minit="++", seed=np.random.default_rng(seed)
    )
    members: dict[str, NDArray[np.intp]] = {}
    for number in range(len(centres)):
        rows = np.flatnonzero(belongs == number)
        if len(rows):
            far = np.linalg.norm(unit[rows] - centres[number], axis=1)
            members[f"Group {number + 1}"] = rows[np.argsort(far, kind="stable")]
    return _ranked(members, change)


def _ranked(members: Mapping[str, NDArray[Any]], change: NDArray[np.float64]) -> list[Group]:
    found = [
        Group(name, len(rows), float(change[rows].mean()), tuple(int(row) for row in rows))
        for name, rows in members.items()
    ]
    return sorted(found, key=lambda group: (-group.change, group.name))


def _lengths_one(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def _pca(vectors: Vectors) -> tuple[Flat, float]:
    """The first two principal components, each with the sign that makes its heaviest loading positive, and the share of
    the variance that they show."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
    few = (
        len(centred) < centred.shape[1]
    )  # of both products the smaller one tells all, in a third of the time of an SVD
    spread, found = np.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    axes = (centred.T @ found if few else found)[:, :-3:-1].T
    axes = axes / np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    axes = axes * np.where(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    total = float((centred**2).sum())
    return centred @ axes.T, float(spread[-2:].sum()) / total if total else 0.0


def _umap(*vectors: Vectors, seed: int) -> list[Flat]:
    if not has_umap():
        raise Refused("UMAP is not installed.", 'Install it with pip install "embedding-console[umap]".')
    return flattened(vectors, seed)


def _laid_over(flat: Flat, onto: Flat) -> Flat:
    one, other = flat - flat.mean(axis=0), onto - onto.mean(axis=0)
    left, _, right = np.linalg.svd(one.T @ other)
    over: Flat = one @ left @ right
    return over


def _nearest(vectors: Vectors, start: int, k: int) -> list[NDArray[np.intp]]:
    """The k nearest other rows of some rows, in no order."""
    near = vectors[start : start + _ROWS] @ vectors.T
    near[np.arange(len(near)), np.arange(start, start + len(near))] = -np.inf
    floors = np.partition(near, -k, axis=1)[:, -k]
    found = []
    for cosines, floor in zip(near, floors, strict=True):
        rows = np.flatnonzero(cosines >= floor)
        found.append(rows[np.argsort(-cosines[rows], kind="stable")[:k]])
    return found
