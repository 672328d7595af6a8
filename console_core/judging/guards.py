"""Why no verdict is given, in words for people, each with what to do about it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from console_core.judging.holes import Judged
from console_core.judging.protocol import FEWEST, Protocol
from console_core.runs.wording import count

Code = Literal[
    "not locked",
    "changed",
    "other queries",
    "too few",
    "unfinished",
    "one grade",
    "barren",
    "not judged enough",
    "judged unevenly",
    "not intact",
]
_ROUNDING = 1e-9
UNANSWERED = 0.05
"""The share of questions that only one of the two answered, up to which they are left out for both."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to withhold a verdict."""

    code: Code
    text: str


NOT_INTACT = Reason(
    "not intact",
    "The kept answers are not those that were sealed. Ask the query set again, and judge that.",
)


def reasons(
    protocol: Protocol,
    locked: str | None,
    unpaired: Collection[str],
    untouched: int,
    queries: int,
    a: Judged,
    b: Judged,
    names: tuple[str, str] = ("A", "B"),
    *,
    answered: int = 0,
    thin: bool = False,
    given: Sequence[Mapping[str, int]] = (),
) -> tuple[Reason, ...]:
    """All reasons that hold; with none a verdict may be given.

    `unpaired` are queries that only one column answered, of those `answered` by either; `untouched` how many were given
    to judges and have no judgment that counts: they would be taken for no difference. `thin` says that of some
    questions too few were judged to tell how much they vary. `queries` is how many an estimate would rest on. Both
    shares of `Judged` have to reach the protocol's floor and may differ by its gap at most. Judged@k alone would let
    through judgments of one column where the two share nearly all of their pictures; the share of its own does not.

    `given` are the grades of each query that was given to judges. With one grade for all pictures of nearly every
    query, or without a picture that is relevant in more than half of them, the two come out alike whatever they
    answered.
    """
    found = []
    if locked is None:
        found.append(
            Reason("not locked", "The protocol was not locked before the first judgement. Lock it, then judge.")
        )
    elif locked != protocol.digest:
        found.append(Reason("changed", "This is not the protocol that was locked. Use that one, or judge anew."))
    if len(unpaired) > UNANSWERED * answered:
        named = ", ".join(sorted(unpaired)[:3])
        text = (
            f"{len(unpaired):,} of {answered:,} questions were answered by only one of {names[0]} and {names[1]}, such "
            f"as {named}; up to {UNANSWERED:.0%} would be left out. The kept answers say why each failed: mend that, "
            "or take these questions out of the set, ask it again and judge that."
        )
        found.append(Reason("other queries", text))
    if queries < FEWEST:
        text = f"{count(queries, 'question')} of at least {FEWEST}. Add questions to the set."
        found.append(Reason("too few", text))
    if untouched:
        text = (
            f"{count(untouched, 'question')} without any judgement that counts. Judge all that were drawn: their "
            "number is fixed, and the grades of a judge count for a question once that judge graded all its pictures."
        )
        found.append(Reason("unfinished", text))
    found += _telling_nothing([of for of in given if of], len(given), protocol.relevant)
    for share, x, y in (
        (f"Judged@{protocol.k}", a.at_k, b.at_k),
        ("The judged share of pictures that only one column shows", a.own, b.own),
    ):
        values = f"{share} is {x:.1%} in {names[0]} and {y:.1%} in {names[1]}"
        if min(x, y) < protocol.floor - _ROUNDING:
            text = f"{values}; at least {protocol.floor:.0%} is needed. Judge the pictures that are left."
            found.append(Reason("not judged enough", text))
        if abs(x - y) > protocol.gap + _ROUNDING:
            text = (
                f"{values}; they may differ by {protocol.gap * 100:g} points. What nobody judged counts as irrelevant, "
                "so the column with fewer judgements would look worse than it is. Judge the pictures that are left."
            )
            found.append(Reason("judged unevenly", text))
    if thin and not found:
        text = "Too few of the drawn questions were answered by both columns. Ask the query set again, and judge more."
        found.append(Reason("too few", text))
    return tuple(found)


def _telling_nothing(graded: Sequence[Mapping[str, int]], drawn: int, relevant: int) -> list[Reason]:
    found = []
    grades = {grade for of in graded for grade in of.values()}
    if len(grades) == 1:
        text = f"Every picture has the same grade, {grades.pop()}, which tells no two columns apart. Judge anew."
        found.append(Reason("one grade", text))
    elif graded and all(len(set(of.values())) == 1 for of in graded):
        text = (
            "In each question all pictures have the same grade, which tells no two columns apart. Look whether the "
            "grades are right, grade more finely, or ask harder questions."
        )
        found.append(Reason("one grade", text))
    barren = sum(max(of.values()) < relevant for of in graded)
    if 2 * barren > drawn:
        have = "has" if barren == 1 else "have"
        text = (
            f"{count(barren, 'question')} of {drawn:,} {have} no relevant picture in any column, which says nothing of "
            "which is better. Look whether the grades are right, or ask questions that the collection can answer."
        )
        found.append(Reason("barren", text))
    return found
