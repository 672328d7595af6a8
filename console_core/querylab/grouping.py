"""Points that hang together, directly or through others. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from console_core.vectorstore.types import PointId


class Near(NamedTuple):
    """Two points and their cosine."""

    one: PointId
    other: PointId
    cosine: float


class Groups:
    """The groups that pairs of near points make. Three entries in memory for each point that is in one."""

    def __init__(self, pairs: Iterable[Near] = ()) -> None:
        self._parent: dict[PointId, PointId] = {}
        self._nearest: dict[PointId, float] = {}
        self._joined = 0
        self._told: list[Near] = []
        for pair in pairs:
            self.add(pair)
        self._told.clear()

    def add(self, pair: Near) -> None:
        """What a pair changes is kept for `news`; what is known already changes nothing."""
        changes = False
        for identifier in (pair.one, pair.other):
            self._parent.setdefault(identifier, identifier)
            if pair.cosine > self._nearest.get(identifier, -1.0):
                self._nearest[identifier] = pair.cosine
                changes = True
        one, other = self._root(pair.one), self._root(pair.other)
        if one != other:
            self._parent[one] = other
            self._joined += 1
            changes = True
        if changes:
            self._told.append(pair)

    def news(self) -> list[Near]:
        """The pairs that changed something since this was asked last: all of them together make these groups again."""
        told, self._told = self._told, []
        return told

    @property
    def number(self) -> int:
        """How many groups there are."""
        return len(self._parent) - self._joined

    @property
    def surplus(self) -> int:
        """How many points there are beyond one of each group."""
        return self._joined

    def all(self) -> list[dict[PointId, float]]:
        """The largest group first: each point's id with its highest cosine to another of them."""
        found: dict[PointId, dict[PointId, float]] = {}
        for identifier in self._parent:
            found.setdefault(self._root(identifier), {})[identifier] = self._nearest[identifier]
        return sorted(found.values(), key=len, reverse=True)

    def _root(self, identifier: PointId) -> PointId:
        while (parent := self._parent[identifier]) != identifier:
            self._parent[identifier] = self._parent[parent]
            identifier = parent
        return identifier
