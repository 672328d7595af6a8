"""How the numbers of an evaluation are written, on the screen, by the command line and in a report: one way for each.

Every function takes the number of an outcome and gives the text that people read. "–" is what is not known.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from console_core.judging.decision import Outcome
from console_core.judging.protocol import Protocol

UNKNOWN = "–"
_NAMED = 10
LIMITS = (
    "It is about these questions and questions like them, this collection, these judges and this measure, and about "
    "nothing else: not about speed or cost, and not about what nobody asked.",
    '"No worse" means: no worse by more than the margin, as sure as is stated. It does not mean better, or the same.',
    '"Not decided" is no proof of equality: fewer questions only make it likelier.',
    "Where several columns were compared with the reference, the confidence is that of all these comparisons together "
    "(Holm's correction): each of them is held to more. It does not cover several evaluations.",
    "It is of collections as they are searched. A part of a loss may be the index's and no model's, unless they were "
    "searched exactly too and it is told whose it is.",
    "Slices by tag, and metrics other than the one that was locked, are exploratory: they say where to look.",
)
"""What a verdict does not say."""
TWINS = (
    "A twin is a collection that is compared, searched exactly instead of as usual, so that what the model does can be "
    "told from what the index does: it is judged like all columns, compared with none, and no comparison in Holm's "
    "correction."
)
EXPLORATORY = "Exploratory: nobody fixed these in advance. Each p is corrected for how many there are."


def score(value: float | None) -> str:
    """A metric, 0 to 1: 0.873."""
    return UNKNOWN if value is None else f"{value:.3f}"


def difference(value: float | None) -> str:
    """A difference between two metrics, always with its sign: +0.012."""
    return UNKNOWN if value is None else f"{value:+.3f}"


def metric_at(name: str, k: int) -> str:
    """A metric with its depth: nDCG@10."""
    return f"{name}@{k}"


def differ(lowest: float | None, highest: float | None) -> bool:
    """Whether two numbers differ by more than rounding: what nobody judged could then move a mean."""
    return lowest is not None and highest is not None and highest - lowest > 1e-9


def share(value: float | None) -> str:
    """A share, in per cent with one decimal, as reasons for a withheld verdict say it: 95.0%."""
    return UNKNOWN if value is None else f"{value:.1%}"


def count(value: int | None) -> str:
    """How many: 1,200."""
    return UNKNOWN if value is None else f"{value:,}"


def chance(value: float | None) -> str:
    """A p: 0.012; below a thousandth it is only said to be below it."""
    if value is None:
        return UNKNOWN
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def strength(value: float | None) -> str:
    """A strength of Bradley and Terry, or Krippendorff's alpha: 1.24."""
    return UNKNOWN if value is None else f"{value:.2f}"


def plain(value: Any) -> str:
    """A setting as it was typed: 0.05, nDCG, 7; "–" for nothing."""
    if value in (None, ""):
        return UNKNOWN
    return f"{value:g}" if isinstance(value, float) else str(value)


def moment(value: datetime | str | None) -> str:
    """A time: 2026-11-03 14:05 UTC."""
    if value is None:
        return UNKNOWN
    told = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{told:%Y-%m-%d %H:%M} UTC"


def gain(worth: Mapping[Any, int]) -> str:
    """What each grade is worth: 0 → 0, 1 → 1, 2 → 3, 3 → 7."""
    return ", ".join(f"{grade} → {value}" for grade, value in worth.items())


def measured(way: str, protocol: Protocol) -> str:
    """What is judged, in two or three words: nDCG@10; lists of 10, where these are voted on."""
    return protocol.measure if way == "grades" else f"lists of {protocol.k:,}"


def margin(way: str, protocol: Protocol) -> str:
    """The margin; "–" of votes, which have none."""
    return plain(protocol.margin if way == "grades" else None)


def locked(way: str, protocol: Protocol, bound: str = "each bound") -> str:
    """What was locked, in a few words: of votes no metric and no margin, but how many questions are voted on."""
    sure = f"confidence {share(protocol.confidence)}"
    if way == "grades":
        return f"{protocol.measure}, margin {plain(protocol.margin)}, {sure} for {bound}"
    asked = f"{protocol.queries:,} questions" if protocol.queries else "all questions that are not answered alike"
    return f"votes between {measured(way, protocol)}, {sure}, {asked}"


def headline(outcome: Outcome, other: str, reference: str) -> str:
    """The verdict on a column in a few words."""
    return {
        "non-inferior": f"{other} is no worse than {reference}",
        "inferior": f"{other} is worse than {reference}",
        "inconclusive": f"It is not decided whether {other} is worse than {reference}",
        "withheld": f"No verdict on {other} against {reference}",
    }[outcome]


def preferred(found: str, x: str, y: str) -> str:
    """What the votes between two columns say, in a few words."""
    return {
        "A": f"{x} is preferred to {y}",
        "B": f"{y} is preferred to {x}",
        "withheld": f"No verdict between {x} and {y}",
        "alike": f"{x} and {y} answered every drawn question alike",
        "unanswered": f"No drawn question was answered by both {x} and {y}",
    }.get(found, f"{x} and {y} are not told apart")


def advice(outcome: Outcome, *, revealed: bool, intact: bool = True, apart: bool = True) -> str:
    """What to do about a verdict that decides nothing, or that finds a loss of which model and index are not told
    `apart`; "" else. `intact`: the answers are those that were sealed."""
    if outcome == "inferior" and not apart:
        return (
            "Whether the model lost that, or the index that it is searched through, is not told apart: ask again with "
            "both collections searched exactly too, as images~exact, and judge that."
        )
    if outcome == "inconclusive":
        return (
            "This is no proof of either. Ask a larger query set, with a new evaluation; judging more of this one until "
            "it says what is hoped for would not count."
        )
    if outcome == "withheld" and not intact:
        return (
            "Nothing is said of either column, and judging more of these answers cannot change that: ask the query set "
            "again, and judge the new answers in another evaluation."
        )
    if outcome == "withheld" and revealed:
        return (
            "Nothing is said of either column. The models were told, so nothing more is judged here: begin another "
            "evaluation of these answers, and judge all of it before they are told."
        )
    if outcome == "withheld":
        return "Nothing is said of either column until what is named here is done."
    return ""


def otherwise(sentences: Sequence[str], versions: Mapping[str, str], at: datetime) -> str:
    """What a verdict said when the models were told, and that it is another one now."""
    program = versions.get("embedding-console") or "this program"
    return (
        f"When the models were told, {moment(at)}, version {program} of embedding-console computed another verdict "
        f"than this one does: {' '.join(sentences)}"
    )


def grade(value: int | None) -> str:
    """The grade of a picture; "–" where nobody judged it."""
    return UNKNOWN if value is None else str(value)


def judges(words: Mapping[str, int]) -> str:
    """Who judged, and how much: olga 120, pete 40."""
    return ", ".join(f"{name} {number:,}" for name, number in words.items()) or "nobody"


def uncompared(number: int) -> str:
    """What is said of twins, without telling which columns they are; "" where there are none."""
    if not number:
        return ""
    are = "1 column is a twin" if number == 1 else f"{number:,} columns are twins"
    return f"{are} of another one. {TWINS}"


def finished(words: Mapping[str, int]) -> str:
    """How much of what judges said counts: olga 120, pete 38: grades of questions that the judge finished."""
    return f"{judges(words)}: grades of questions that the judge finished"


def named(labels: Sequence[str]) -> str:
    """Questions by their labels, the first ten of them: 2: a red dog, a cat."""
    more = f" and {len(labels) - _NAMED:,} more" if len(labels) > _NAMED else ""
    return f"{len(labels):,}: {', '.join(labels[:_NAMED])}{more}" if labels else "0"


def finding(found: str, other: str) -> str:
    """What a slice says of a column, beside the reference."""
    return {"lower": f"{other} lower", "higher": f"{other} higher"}.get(found, found)


def often(times: int) -> str:
    """How often: once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(times, f"{times:,} times")


def opened(by: Sequence[str]) -> str:
    """Who saw what each column answered while judging was blind; "" where nobody did."""
    if not by:
        return ""
    names = ", ".join(dict.fromkeys(by))
    return f"What each column answered was opened {often(len(by))} while it was judged blindly, by {names}."


def looked(times: int, early: int) -> str:
    """How often a verdict was looked at, and why that is told."""
    if not times:
        return "Never looked at before the models were told."
    said = often(times)
    if not early:
        return f"Looked at {said} before the models were told, and no look before the last judgement showed a result."
    states = "1 state" if early == 1 else f"{early:,} states"
    return (
        f"Looked at {said} before the models were told, at {states} after which more was judged. Each of these is one "
        "more chance to stop by luck: the confidence that is stated holds for one look at the end."
    )


def versions(known: Mapping[str, str]) -> str:
    """Programs and their versions in one line."""
    return ", ".join(f"{name} {version}" for name, version in known.items())


def settings(asked: Mapping[str, Any]) -> str:
    """How a column was asked, where it was not as usual: exact True, limit 50."""
    return ", ".join(f"{name} {plain(value)}" for name, value in asked.items()) or UNKNOWN
