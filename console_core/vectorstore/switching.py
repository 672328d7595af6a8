"""What else changes in a store when an alias is moved there by giving its name to another column."""

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable


@dataclass(frozen=True, slots=True)
class Foreign:
    """What must be made again and may not be by the console's role: what it is, as `the view a.b`, and why not."""

    what: str
    lacks: str
    remedy: str

    @classmethod
    def owned(cls, what: str, owner: str) -> Self:
        remedy = f"Have it done by its owner's right (GRANT {owner} TO the console's role), or give it to that role."
        return cls(what, f"which only its owner {owner} may", remedy)

    @classmethod
    def closed(cls, what: str, schema: str) -> Self:
        lacks = f"for which the console's role lacks CREATE on the schema {schema}"
        return cls(what, lacks, f"GRANT USAGE, CREATE ON SCHEMA {schema} TO the console's role.")

    def message(self, searched: str) -> str:
        return (
            f"{self.what[:1].upper()}{self.what[1:]} must be made again when another column takes the name "
            f'"{searched}", {self.lacks}.'
        )


@dataclass(frozen=True, slots=True)
class Switching:
    """A table whose column `searched` would be another one. `follows` are views and functions that are made again with
    it; `blocked` is what would stay with the former column, and so forbids the move, as does what is `foreign`. `left`
    are functions that name other vectors of the same length too, so that nobody can tell what of them must change: they
    stay as they are. `numbers` are functions, each with its language, that have the searched column's `length` where it
    is not changed: as a bare number, or in a language that is not rewritten. `triggers` fire at every UPDATE of a row,
    so also when a vector is written: name and text of each. `index` is the searched column's index as the store makes
    it, "" where it has none."""

    table: str
    searched: str
    index: str
    follows: tuple[str, ...]
    blocked: tuple[str, ...]
    left: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    length: int = 0
    triggers: tuple[tuple[str, str], ...] = ()
    foreign: tuple[Foreign, ...] = ()


@runtime_checkable
class AnnouncesSwitch(Protocol):
    """A store in which some aliases are the names of columns."""

    def switching(self, alias: str) -> Switching | None:
        """What would change with an alias; None where that is no column's name.

        Raises:
            StoreError
        """
        ...
