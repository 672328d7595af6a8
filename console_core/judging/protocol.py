"""What is decided before the first judgment is made, so that no result can choose how it is measured. Pure.

A protocol never changes. Whoever locks one keeps its digest; a verdict is withheld where the digest is not the locked
one. The method: a margin that is fixed in advance and a one-sided interval, as for any trial of non-inferiority.
"""

import json
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from math import isfinite
from typing import Any, Literal, get_args

from console_core.errors import Refused

Metric = Literal["nDCG", "P", "RR", "Recall"]
Gain = Literal["exponential", "linear"]
Scale = Literal["graded", "yes/no"]
Preference = Literal["stakes", "disagreement"]
Repeats = Literal["once", "each"]

HIGHEST: dict[Scale, int] = {"graded": 3, "yes/no": 1}
"""The best grade of each scale; the worst is 0."""
_SHARES = ("margin", "confidence", "floor", "gap")
FEWEST = 10
"""Queries below which no verdict is given and no slice is told apart: chance alone then moves a mean too far."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """How B is judged against A.

    `metric` at depth `k` is the one primary measure, per query; all others are exploratory. `gain` says what a grade
    is worth in nDCG: exponential 2^grade − 1, or linear the grade itself. A picture is relevant, for P, RR and Recall,
    from grade `relevant`. `margin` is the largest mean loss per query that is accepted, in the metric's own unit,
    0 to 1. `confidence` is one-sided. `floor` is the least Judged@k of either column, `gap` the most by which the two
    may differ, both shares. `queries` is how many queries will be judged, 0 for all; it is fixed in advance. Where not
    all are, `prefers` says what makes a query more likely to be drawn: its stakes, how far the metric can differ in it
    whatever the grades, or how much its rankings disagree. `repeats` says whether queries with the very same answers
    count once, or each of them, as in protocols that were locked before this was asked. `seed` decides what chance
    decides: which queries are drawn, and the resamples of the test.

    Raises:
        Refused: a value with which no verdict could be right.
    """

    metric: Metric = "nDCG"
    k: int = 10
    scale: Scale = "graded"
    gain: Gain = "exponential"
    relevant: int = 1
    margin: float = 0.05
    confidence: float = 0.95
    floor: float = 0.95
    gap: float = 0.05
    queries: int = 0
    prefers: Preference = "stakes"
    repeats: Repeats = "once"
    seed: int = 0

    def __post_init__(self) -> None:
        for wrong, message, remedy in (
            (self.metric not in get_args(Metric), f"{self.metric} is no metric.", f"One of {_named(Metric)}."),
            (self.scale not in get_args(Scale), f"{self.scale} is no scale.", f"One of {_named(Scale)}."),
            (self.gain not in get_args(Gain), f"{self.gain} is no gain function.", f"One of {_named(Gain)}."),
            (
                self.prefers not in get_args(Preference),
                f"No queue prefers {self.prefers}.",
                f"One of {_named(Preference)}.",
            ),
            (self.repeats not in get_args(Repeats), f"Repeats cannot count {self.repeats}.", f"{_named(Repeats)}."),
            (not _whole(self.k) or self.k < 1, f"A depth of {self.k} ranks nothing.", "A whole number from 1."),
            (not _within(self.margin, 0, 1), f"A margin of {self.margin} decides nothing.", "Between 0 and 1."),
            (not _within(self.confidence, 0.5, 1), f"{self.confidence} is no confidence.", "Between 0.5 and 1."),
            (not _share(self.floor), f"A floor of {self.floor} is no share.", "From 0 to 1."),
            (not _share(self.gap), f"A gap of {self.gap} is no share.", "From 0 to 1."),
            (not _whole(self.seed) or self.seed < 0, f"{self.seed} is no seed.", "A whole number from 0."),
            (
                not _whole(self.queries) or 0 != self.queries < FEWEST,
                f"{self.queries} queries are too few for a verdict.",
                f"At least {FEWEST}, or 0 for all.",
            ),
        ):
            if wrong:
                raise Refused(message, remedy)
        if not _whole(self.relevant) or not 1 <= self.relevant <= self.highest:
            raise Refused(f"No picture is relevant from grade {self.relevant}.", f"A grade from 1 to {self.highest}.")

    @property
    def highest(self) -> int:
        """The best grade of the scale."""
        return HIGHEST[self.scale]

    @property
    def measure(self) -> str:
        """The primary measure as people write it, "nDCG@10"."""
        return f"{self.metric}@{self.k}"

    @property
    def voted(self) -> "Protocol":
        """The same for votes between whole lists, which no metric's stakes concern."""
        return replace(self, prefers="disagreement")

    @property
    def gains(self) -> dict[int, int]:
        """What each grade is worth. Yes/no grades are worth 0 and 1 with either gain function."""
        return gains(self.gain, self.highest)

    @property
    def digest(self) -> str:
        """A hash of every value; two protocols with one digest are the same."""
        return sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The values in one fixed order and spelling: protocols that are equal have the same.

        One that prefers disagreement and counts each repeat does not say so: those that were locked before there was
        another way keep their digest.
        """
        values = asdict(self) | {name: float(getattr(self, name)) for name in _SHARES}
        if (self.prefers, self.repeats) == ("disagreement", "each"):
            del values["prefers"], values["repeats"]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Protocol":
        """The protocol that `to_json` wrote.

        Raises:
            Refused: it is not one, or has other values than a protocol has.
        """
        try:
            values: Any = json.loads(text)
        except ValueError as error:
            raise Refused("The protocol is not JSON.", "Lock one anew.") from error
        names = {field.name for field in fields(Protocol)}
        if not isinstance(values, dict) or values.keys() not in (names, names - {"prefers", "repeats"}):
            raise Refused("These are not the values of a protocol.", f"It has {', '.join(sorted(names))}.")
        older: dict[str, Any] = {"prefers": "disagreement", "repeats": "each"}
        return Protocol(**(older | values))


def gains(gain: Gain, highest: int) -> dict[int, int]:
    """What each grade from 0 to the highest is worth: 2^grade − 1 where exponential, the grade where linear."""
    return {grade: 2**grade - 1 if gain == "exponential" else grade for grade in range(highest + 1)}


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def _within(value: float, low: float, high: float) -> bool:
    return _number(value) and low < value < high


def _share(value: float) -> bool:
    return _number(value) and 0 <= value <= 1


def _named(kind: Any) -> str:
    return ", ".join(get_args(kind))
