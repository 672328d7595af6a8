"""A column as short text, for an address: `images`, `images~exact`, `images~exact~0.31`."""

from math import isfinite

from console_core.querylab.comparison import Column
from console_core.vectorstore.ways import Search

_MARK = "~"
_WAYS = {way.value.replace(" ", "-"): way for way in Search}


def written(column: Column) -> str:
    """The column as text: its name, then its way where that is not the usual one, then its threshold where it has one.

    `read` gives the same column again, whatever its name is.
    """
    way = [column.way.value.replace(" ", "-")] if column.way is not Search.USUAL else []
    threshold = [repr(float(column.threshold))] if column.threshold is not None else []
    text = _MARK.join([column.asked, *way, *threshold])
    if read(text) == column:
        return text
    usual = Search.USUAL.value  # the name itself ends like a way or a threshold
    return _MARK.join([column.asked, *(way or [usual]), *threshold])


def read(text: str) -> Column:
    """The column that a text says. What is neither a way nor a threshold is part of the name, so that nothing of it is
    lost: a collection of that name does not exist, and its column says so.
    """
    parts = text.split(_MARK)
    way, threshold = Search.USUAL, None
    if len(parts) > 1 and (number := _number(parts[-1])) is not None:
        threshold = number
        parts.pop()
    if len(parts) > 1 and parts[-1] in _WAYS:
        way = _WAYS[parts.pop()]
    return Column(_MARK.join(parts), way, threshold)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
