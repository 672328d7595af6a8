"""Rows from everywhere in a slice, in bounded time: a trial on the first pictures would only know the oldest."""

import time
from collections.abc import Iterator
from itertools import islice

from console_core.catalog.types import ImageCatalog, ImageRow, Slice

SMALL = 20_000
"""Rows up to which a slice is read as a whole."""
PATIENCE = 2.0
"""Seconds after which no further row is looked for."""
_LARGEST = 2**62
"""How far from the first key no further one is looked for."""


def spread_rows(catalog: ImageCatalog, part: Slice, number: int, selected: int) -> list[ImageRow]:
    """At most `number` different rows of a slice that has `selected`, so ordered that the first few are spread too.

    A large slice is read at places that are equally far apart where its keys are whole numbers, and otherwise as far
    as patience lasts; what is found is then spread over that.

    Raises:
        CatalogError
    """
    until = time.monotonic() + PATIENCE
    found: list[ImageRow] = []
    if selected > SMALL and part.keys is None:
        found = _jumping(catalog, part, number, until)
    if 2 * len(found) < number:
        found = _reading(catalog, part, number, until)
    return [found[place] for place in _scattered(len(found))]


def _reading(catalog: ImageCatalog, part: Slice, number: int, until: float) -> list[ImageRow]:
    """Every so-manieth row. How many there will be is not known: where twice as many are kept, every other goes."""
    kept: list[ImageRow] = []
    apart = 1
    for place, row in enumerate(catalog.rows(part)):
        if place % apart == 0:
            kept.append(row)
        if len(kept) > 2 * number:
            kept, apart = kept[::2], 2 * apart
        if place % 100 == 99 and time.monotonic() > until:
            break
    wanted = min(number, len(kept))
    return [kept[place * len(kept) // wanted] for place in range(wanted)]


def _jumping(catalog: ImageCatalog, part: Slice, number: int, until: float) -> list[ImageRow]:
    """The first rows behind places on the line of whole numbers, in catalog order; none where keys are none."""
    first = next(catalog.rows(part), None)
    if first is None or not first.key.isdecimal():
        return []
    start, found = int(first.key), {first.key: (0, first)}
    end = start + _length(catalog, part, start, until)
    for place in _scattered(number):
        if time.monotonic() > until:
            break
        at = start + (end - start) * place // number
        for row in _behind(catalog, part, at):
            found.setdefault(row.key, (place, row))
    return [row for _, row in sorted(found.values(), key=lambda one: one[0])][:number]


def _length(catalog: ImageCatalog, part: Slice, start: int, until: float) -> int:
    """How far the last key is from the first, to a sixteenth."""
    high = 1
    while high < _LARGEST and any(_behind(catalog, part, start + high)):
        high *= 2
    low = high // 2
    while high - low > high // 16 and time.monotonic() < until:
        middle = (low + high) // 2
        low, high = (middle, high) if any(_behind(catalog, part, start + middle)) else (low, middle)
    return low


def _behind(catalog: ImageCatalog, part: Slice, key: int) -> Iterator[ImageRow]:
    return islice(catalog.rows(part, after=str(key)), 1)


def _scattered(number: int) -> list[int]:
    """The numbers below `number`, in an order of which every beginning is spread over all of them."""
    bits = max(1, (number - 1).bit_length())
    return sorted(range(number), key=lambda place: int(f"{place:0{bits}b}"[::-1], 2))
