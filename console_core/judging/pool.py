"""What a judge is shown for one query: the pictures that any column answered with, in an order that tells nothing."""

import hashlib
import random
from collections.abc import Sequence

from console_core.judging.metrics import top
from console_core.querylab.rankings import Ranking, Rankings


def pool(rankings: Sequence[Ranking], *, k: int, seed: int, query: str) -> tuple[str, ...]:
    """The union of the first k of each ranking, shuffled: the same for the same seed and query, whatever the columns'
    order, and without regard to ranks."""
    together = sorted({key for ranking in rankings for key in top(ranking, k)})
    told = hashlib.sha256(f"{seed}\0{query}".encode()).digest()
    random.Random(int.from_bytes(told[:8], "big")).shuffle(together)
    return tuple(together)


def pools(columns: Sequence[Rankings], queries: Sequence[str], *, k: int, seed: int) -> dict[str, tuple[str, ...]]:
    """The pool of each of the queries that two columns or more answered: one that was down keeps no others from being
    judged."""
    return {
        query: pool([column[query] for column in columns if query in column], k=k, seed=seed, query=query)
        for query in queries
        if sum(query in column for column in columns) > 1
    }
