"""The words of judging many queries at once: what each asks, what each column answered, what judges said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Ranking = Sequence[str]
"""Picture keys, best first."""
Rankings = Mapping[str, Ranking]
"""A column's ranking for each query id."""
Grades = Mapping[str, Mapping[str, int]]
"""For each query id the grade of each picture that was judged for it; one that is not there was not judged."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question of a query set: words, or the picture of a catalog key, or both. `id` is unique within the set, and
    the same question keeps it from version to version. Tags name what kind of question it is, for slices. `caption` is
    what its picture was called when it was asked, where that is known; it is no part of the question."""

    id: str
    text: str = ""
    like: str = ""
    tags: tuple[str, ...] = ()
    caption: str = ""

    @property
    def label(self) -> str:
        """What it asks, for people."""
        picture = f"picture {self.like}" if self.like else ""
        return " + ".join(filter(None, (self.text, f"{picture}: {self.caption}" if self.caption else picture)))
