"""What folders and image lists have in common: slices of a list of keys in memory, and what a path tells."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from console_core.catalog.types import Slice
from console_core.errors import CatalogInvalid

MOST_VALUES = 200
"""How many values of a facet are told."""

Facets = Callable[[str], Mapping[str, str]]
"""The facet values of a key."""


def told_by_path(path: str) -> dict[str, str]:
    """The folder ("" for the topmost), the file name and the extension (lower case, no dot) in a path with slashes."""
    folder, _, filename = path.rpartition("/")
    stem, dot, extension = filename.rpartition(".")
    return {"filename": filename, "folder": folder, "extension": extension.lower() if dot and stem else ""}


def selected(
    keys: Sequence[str], part: Slice, after: str | None, known: Iterable[str], facets: Facets
) -> Iterator[str]:
    """Those of the ascending keys that are in the slice and behind `after`.

    Raises:
        CatalogInvalid: the slice filters by something else than the `known` facets.
    """
    for name in part.filters:
        if name not in known:
            raise unknown_facet(name, known)
    start = 0 if after is None else bisect_right(keys, after)
    wanted = None if part.keys is None else frozenset(part.keys)
    return (
        keys[place]
        for place in range(start, len(keys))
        if (wanted is None or keys[place] in wanted) and (not part.filters or _passes(facets(keys[place]), part))
    )


def facet_counts(keys: Iterable[str], known: Iterable[str], facets: Facets) -> dict[str, dict[str, int]]:
    """For each facet its commonest values with their number of keys."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in known}
    for key in keys:
        for name, value in facets(key).items():
            counts[name][value] += 1
    return {name: commonest(counter) for name, counter in counts.items()}


def commonest(counts: Mapping[str, int]) -> dict[str, int]:
    """The values of a facet that are told, the commonest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES])


def unknown_facet(name: str, known: Iterable[str]) -> CatalogInvalid:
    return CatalogInvalid(
        f"The catalog has no facet {name!r}.", f"A slice can filter by: {', '.join(known) or 'nothing'}."
    )


def _passes(values: Mapping[str, str], part: Slice) -> bool:
    return all(values[name] in allowed for name, allowed in part.filters.items())
