"""Columns that are there to tell whose a loss is: a collection once more, searched exactly where it was as usual. Pure.

A twin is judged like every other column and compared with none. It is no candidate that anybody would put into use, so
it must not be condemned; and one more comparison in Holm's correction would hold the true candidates to more for
nothing. Which columns are twins is decided by what was locked, before the first judgement.
"""

from collections.abc import Sequence

from console_core.judging.asked_columns import AskedColumn
from console_core.vectorstore.ways import Search

_OTHER = {Search.USUAL: Search.EXACT, Search.EXACT: Search.USUAL}


def twins(columns: Sequence[AskedColumn]) -> dict[int, int]:
    """The place of each twin in an evaluation, and the place of the column that it is the twin of; {} for none.

    Of a collection that is searched both as usual and exactly, the column that is searched as the reference is stays in
    the comparison, and the other one is its twin. Where no column would be left to compare there are no twins: then
    the ways themselves are what is compared.
    """
    if not columns:
        return {}
    other = _OTHER.get(columns[0].way)
    kept = {one.collection: place for place, one in enumerate(columns) if one.way is columns[0].way}
    found = {
        place: kept[one.collection] for place, one in enumerate(columns) if one.way is other and one.collection in kept
    }
    return found if len(found) + 1 < len(columns) else {}
