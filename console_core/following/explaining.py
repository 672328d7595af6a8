"""Differences that the next catch-up mends by itself, because the collection is behind the catalog there."""

from collections.abc import Sequence

from console_core.following.comparing import Comparison
from console_core.migration.difference import Difference, DifferenceKind
from console_core.migration.verify import Behind

_CAUGHT_UP = (DifferenceKind.MISSING, DifferenceKind.STALE)


def behind(comparison: Comparison) -> Behind:
    """Tells which differences of a followed collection a catch-up would settle: rows without a point, rows or files
    that are newer than their point, points without a row. A point whose content somebody changed is none of them."""

    def explained(differences: Sequence[Difference]) -> list[bool]:
        keys = [one.key for one in differences if one.kind in _CAUGHT_UP]
        late = comparison.behind(comparison.catalog.get(list(dict.fromkeys(keys))))
        ids = [one.point for one in differences if one.kind is DifferenceKind.EXTRA]
        points = comparison.store.retrieve(comparison.follow.collection, ids) if ids else []
        left = {one.point.id for one in comparison.left(points)}
        return [
            one.point in left if one.kind is DifferenceKind.EXTRA else one.kind in _CAUGHT_UP and one.key in late
            for one in differences
        ]

    return explained
