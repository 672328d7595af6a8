"""Pictures of a snapshot as tiles, as they were when they were found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from console_core.catalog.types import ImageRow
from console_core.querylab.shifts import shifts
from console_core.ui import gallery, pictures
from console_core.web.pictures import Size

_WIDTHS = {3: 104, 4: 88}
CANNOT = "It could not answer this question."
"""What stands in a column without answers."""


def tile(key: str, rows: Mapping[str, ImageRow], *, note: str = "", size: Size = "small") -> gallery.Tile:
    """A picture with what it was called then."""
    row = rows.get(key)
    said = pictures.caption(key, row.payload if row is not None else {})
    return gallery.Tile(key, pictures.address(key, row, size), said, note=note)


def ranked(
    keys: Sequence[str], rows: Mapping[str, ImageRow], *, reference: Sequence[str] | None, size: Size = "small"
) -> list[gallery.Tile]:
    """Pictures in their ranks, with the shift of each against a reference ranking; None: this is the reference."""
    moved = shifts(reference or (), keys).hits
    return [
        replace(tile(key, rows, size=size), rank=rank, shift=None if reference is None else shift)
        for rank, (key, shift) in enumerate(zip(keys, moved, strict=True), start=1)
    ]


def tile_width(columns: int) -> int:
    """The least width of a tile, in CSS pixels, where so many columns stand in a card: each has two tiles in a row."""
    return _WIDTHS.get(columns, 132)
