"""What a column's rankings are worth, query by query, against the grades of judges. Pure, and safe from any thread.

The values are trec_eval's (through ir_measures). Keys may be any text: the evaluator is given numbers in their place.
A picture that was not judged counts as grade 0, which is why `judged` stands beside every value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import fsum

from console_core.judging.protocol import Metric, Protocol
from console_core.querylab.rankings import Grades, Ranking, Rankings


@dataclass(frozen=True, slots=True)
class Scores:
    """One query of one column at depth k, or the mean of many; each value is from 0 to 1.

    A query without any relevant picture scores 0, whatever was answered, and so does an empty ranking. P divides by k
    also where fewer were answered. Recall is of the pictures that were judged relevant, not of all that there are.
    `judged` is the share of the ranking's first k that has a grade; of an empty ranking nothing is unjudged: 1.
    """

    ndcg: float
    p: float
    rr: float
    recall: float
    judged: float

    def of(self, metric: Metric) -> float:
        """The value of one metric."""
        return {"nDCG": self.ndcg, "P": self.p, "RR": self.rr, "Recall": self.recall}[metric]


_NAMES = tuple(field.name for field in fields(Scores))


def scores(rankings: Rankings, grades: Grades, protocol: Protocol) -> dict[str, Scores]:
    """The scores of every query that has a ranking, in its order. Grades of other queries are not looked at.

    Raises:
        ValueError: a grade is not on the protocol's scale.
    """
    import ir_measures

    measures = {
        "ndcg": ir_measures.nDCG(gains=protocol.gains) @ protocol.k,
        "p": ir_measures.P(rel=protocol.relevant) @ protocol.k,
        "rr": ir_measures.RR(rel=protocol.relevant),
        "recall": ir_measures.R(rel=protocol.relevant) @ protocol.k,
    }
    names = {measure: name for name, measure in measures.items()}
    qrels: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    first = {query: top(ranking, protocol.k) for query, ranking in rankings.items()}
    for place, (query, ranking) in enumerate(first.items()):
        given = grades.get(query, {})
        check(given, protocol.highest)
        if not given or not ranking:
            continue
        numbers = {key: str(number) for number, key in enumerate(dict.fromkeys((*ranking, *given)))}
        qrels[str(place)] = {numbers[key]: int(grade) for key, grade in given.items()}
        run[str(place)] = {numbers[key]: float(len(ranking) - rank) for rank, key in enumerate(ranking)}
    found: dict[str, dict[str, float]] = {}
    if run:
        for value in ir_measures.iter_calc(list(measures.values()), qrels, run):
            found.setdefault(value.query_id, {})[names[value.measure]] = float(value.value)
    nothing = dict.fromkeys(measures, 0.0)
    return {
        query: Scores(**{**nothing, **found.get(str(place), {})}, judged=judged(ranking, grades.get(query, {})))
        for place, (query, ranking) in enumerate(first.items())
    }


def weighted(values: Mapping[str, Scores], weights: Mapping[str, float]) -> Scores | None:
    """The mean of each value over queries, each with its weight, in whatever unit; None of none."""
    total = fsum(weights[query] for query in values)
    if not total:
        return None
    return Scores(
        *(fsum(weights[query] * getattr(each, name) for query, each in values.items()) / total for name in _NAMES)
    )


def mean(values: Mapping[str, Scores]) -> Scores | None:
    """The mean of each value over queries; None of none."""
    return weighted(values, dict.fromkeys(values, 1.0))


def top(ranking: Ranking, k: int) -> tuple[str, ...]:
    """The first k pictures, each at its first place."""
    return tuple(dict.fromkeys(ranking))[:k]


def judged(ranking: Ranking, given: Mapping[str, int]) -> float:
    """The share of a ranking's pictures that have a grade; 1 where there is no picture."""
    return sum(key in given for key in ranking) / len(ranking) if ranking else 1.0


def check(given: Mapping[str, int], highest: int) -> None:
    """Look that every grade is on the scale.

    Raises:
        ValueError: one is not a whole number from 0 to the highest.
    """
    for key, grade in given.items():
        if isinstance(grade, bool) or int(grade) != grade or not 0 <= grade <= highest:
            raise ValueError(f"Grade {grade!r} of {key!r} is not a whole number from 0 to {highest}.")
