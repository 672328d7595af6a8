"""A uniform sample of keys whose size is chosen by what it must find, and what it then does find."""

import math
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from heapq import heappush, heappushpop
from typing import Any

SHARE = 0.01
PROBABILITY = 0.99
"""A share of wrong vectors as large as SHARE is to be found with at least this probability."""
SIZE = math.ceil(math.log(1 - PROBABILITY) / math.log(1 - SHARE))
"""459: of so many drawn at random, all are right with 1 % probability where 1 % of all are wrong."""


class KeySample:
    """`size` keys drawn at random without replacement from all that are offered, each key once.

    Each key's place in the draw is a hash of the seed and the key, and the lowest are kept: the sample is the same
    whether or not the offering was interrupted in between.
    """

    def __init__(self, seed: str, size: int, drawn: Sequence[Sequence[Any]] = ()) -> None:
        self._seed = seed.encode()
        self._size = size
        self._heap = [(-int(place), str(key)) for place, key in drawn]
        self._heap.sort()

    def offer(self, keys: Iterable[str]) -> None:
        for key in keys:
            digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=self._seed).digest()
            drawn = (-int.from_bytes(digest, "big"), key)
            if len(self._heap) < self._size:
                heappush(self._heap, drawn)
            elif drawn > self._heap[0]:
                heappushpop(self._heap, drawn)

    def keys(self) -> list[str]:
        """The keys drawn, in the order of the draw."""
        return [key for _, key in sorted(self._heap, reverse=True)]

    def as_json(self) -> list[list[Any]]:
        """What the constructor takes as `drawn`."""
        return [[-place, key] for place, key in self._heap]


def found_with(drawn: int, of: int, share: float = SHARE) -> float:
    """The probability that at least one is drawn of those that are wrong, where a share of all is.

    `drawn` are drawn without replacement from `of` (hypergeometric); at least one is taken to be wrong.
    """
    if of <= 0 or drawn <= 0:
        return 0.0
    wrong = max(1, math.ceil(share * of))
    missed = 1.0
    for number in range(wrong):
        missed *= max(of - drawn - number, 0) / (of - number)
    return 1.0 - missed
