"""Whose doing a change of quality is, the model's or the index's: by the grades that the verdict itself rests on. Pure.

Reference and column are each in the evaluation as usual and exactly. All four were judged alike, in one pool, so that
what only an exact search finds was looked at too; and the metric is the protocol's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from console_core.judging.metrics import scores, top
from console_core.judging.protocol import FEWEST, Protocol
from console_core.judging.sampling import Sample, reweighted
from console_core.querylab.effects import CONFIDENCE, Effect
from console_core.querylab.losses import TOLERANCE, Attribution, attribute
from console_core.querylab.rankings import Grades, Rankings
from console_core.vectorstore.ways import Search


class Pair(NamedTuple):
    """One collection, searched as usual and exactly."""

    usual: Rankings
    exact: Rankings


@dataclass(frozen=True, slots=True)
class Attributed:
    """The attribution of what `names[1]` does worse (or better) than `names[0]`, in the protocol's metric; None where
    nothing can be said, and `reason` says why. `causes` are what of "model" and "index" made it worse for certain, and
    by `tolerance` or more; "index" is everything that searching loses, by the index and by rounding, less what it
    loses in the reference. The intervals are two-sided, of this `confidence`."""

    names: tuple[str, str]
    measure: str
    found: Attribution | None
    causes: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    reason: str = ""
    confidence: float = CONFIDENCE

    @property
    def text(self) -> str:
        """Whose it is, with its numbers, in a sentence or two."""
        other, found = self.names[1], self.found
        if found is None:
            return f"Whether {other}'s model or its index does it is not told apart: {self.reason}"
        if found.total.mean < -_ROUNDING:
            parts = f"{_lost(found.searching)} are the index's and {_lost(found.model)} the model's"
            return f"Of {other}'s loss of {_amount(-found.total.mean)} in {self.measure}, {parts}. {self._blame}"
        parts = f"{_moved(found.searching)} by the index and {_moved(found.model)} by the model"
        won = f"Searched as usual, {other} loses nothing in {self.measure}: {_amount(found.total.mean, '+')}"
        return f"{won}, of which {parts}.{f' {self._blame}' if self.causes else ''}"

    @property
    def _blame(self) -> str:
        return {
            ("index",): "It is the index that loses for certain: searched exactly, no loss of "
            f"{self.tolerance:g} or more is certain of the model.",
            ("model",): "It is the model that loses for certain: the loss is there when both are searched exactly.",
            ("model", "index"): "Both lose for certain.",
        }.get(
            self.causes,
            f"Whose it is is not certain: neither is shown to lose {self.tolerance:g} or more.",
        )


_ROUNDING = 5e-4
"""Below this a loss is 0.000 as it is written."""


def attributed(
    protocol: Protocol, sample: Sample, reference: Pair, column: Pair, grades: Grades, *, names: tuple[str, str]
) -> Attributed:
    """The change between two collections, split. `sample` are the questions that judges were given, drawn from all
    columns of the evaluation; `grades` are those that count.

    Questions that one of the four could not answer are left out. Where not all questions were drawn, each drawn one
    weighs what it stands for, and the intervals are those of the stratified sample, as in the verdict; otherwise they
    are a bootstrap's. Either has 95 %, two-sided.
    """
    four = (*reference, *column)
    common = frozenset.intersection(*(frozenset(one) for one in four))
    sample = sample.among(common)
    first = {query: [top(one[query], protocol.k) for one in four] for query in sample.queue}
    apart = [query for query, lists in first.items() if any(one != lists[0] for one in lists)]
    missing = sum(any(key not in grades.get(query, {}) for one in first[query] for key in one) for query in apart)
    nothing = Attributed(names, protocol.measure, None)
    if missing:
        return _without(nothing, f"of {missing:,} of the questions not all pictures have a grade that counts.")
    if sample.size < FEWEST or sample.thin:
        return _without(nothing, "too few of the questions were answered by all four columns.")
    order = (*sample.queue, *sample.known)

    def numbers(one: Rankings) -> list[float]:
        """Its metric in each question; 0 in all four where they answer alike."""
        found = scores({query: one[query] for query in apart}, grades, protocol)
        return [found[query].of(protocol.metric) if query in found else 0.0 for query in order]

    def weighed(differences: NDArray[np.float64]) -> Effect:
        given = dict(zip(order, differences.tolist(), strict=True))
        found = reweighted(sample, given, (1 + CONFIDENCE) / 2, beyond=True)
        return Effect(found.mean, found.lower, found.upper)

    old, new = ({Search.USUAL: numbers(one.usual), Search.EXACT: numbers(one.exact)} for one in (reference, column))
    made = attribute(old, new, effect=Effect.of if sample.everything else weighed)
    tolerance = min(TOLERANCE, protocol.margin)
    return Attributed(names, protocol.measure, made, made.causes(tolerance), tolerance)


def pairs(columns: Sequence[Rankings], ways: Sequence[Search], twin_of: Mapping[int, int], place: int) -> Pair | None:
    """A compared column with its twin; None where it has none."""
    twin = next((one for one, of in twin_of.items() if of == place), None)
    if twin is None:
        return None
    usual, exact = (place, twin) if ways[place] is Search.USUAL else (twin, place)
    return Pair(columns[usual], columns[exact])


def _without(nothing: Attributed, reason: str) -> Attributed:
    return Attributed(nothing.names, nothing.measure, None, reason=reason)


def _amount(value: float, sign: str = "") -> str:
    return f"{round(value, 3) + 0.0:{sign}.3f}"


def _lost(effect: Effect) -> str:
    """What a part loses, with its interval: 0.070 (0.050 to 0.090); below 0 it wins."""
    return f"{_amount(-effect.mean)} ({_amount(-effect.high)} to {_amount(-effect.low)})"


def _moved(effect: Effect) -> str:
    """By how much a part changes the metric, with its interval: -0.070 (-0.090 to -0.050)."""
    return f"{_amount(effect.mean, '+')} ({_amount(effect.low, '+')} to {_amount(effect.high, '+')})"
