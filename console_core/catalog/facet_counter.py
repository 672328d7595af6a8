"""How often each value of each facet comes, of any number of values in bounded memory."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing

from console_core.catalog.listing import MOST_VALUES

MOST = 50_000
"""Different values that are counted in memory; more go to a temporary file from time to time."""


def commonest(rows: Iterable[Mapping[str, str]], known: Iterable[str]) -> dict[str, dict[str, int]]:
    """For each known facet its commonest values with their exact numbers."""
    names = tuple(known)
    counts: Counter[tuple[str, str]] = Counter()
    with closing(sqlite3.connect("")) as kept:
        kept.execute("CREATE TABLE counts (facet, value, number, PRIMARY KEY (facet, value)) WITHOUT ROWID")
        for facets in rows:
            for name in names:
                counts[name, facets[name]] += 1
            if len(counts) > MOST:
                _keep(kept, counts)
        _keep(kept, counts)
        query = "SELECT value, number FROM counts WHERE facet = ? ORDER BY number DESC, value LIMIT ?"
        return {name: dict(kept.execute(query, (name, MOST_VALUES)).fetchall()) for name in names}


def _keep(kept: sqlite3.Connection, counts: Counter[tuple[str, str]]) -> None:
    added = "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number"
    kept.executemany(added, ((facet, value, number) for (facet, value), number in counts.items()))
    counts.clear()
