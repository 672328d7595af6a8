"""What else changes in a store when an alias is moved there by giving its name to another column."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Switching:
    """A table whose column `searched` would be another one. `follows` are views and functions that are made again with
    it; `blocked` is what would stay with the former column, and so forbids the move. `index` is the searched column's
    index as the store makes it, "" where it has none."""

    table: str
    searched: str
    index: str
    follows: tuple[str, ...]
    blocked: tuple[str, ...]


@runtime_checkable
class AnnouncesSwitch(Protocol):
    """A store in which some aliases are the names of columns."""

    def switching(self, alias: str) -> Switching | None:
        """What would change with an alias; None where that is no column's name.

        Raises:
            StoreError
        """
        ...
