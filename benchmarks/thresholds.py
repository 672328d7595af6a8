"""How often the interval of a translated threshold holds the true one, by simulation.

    python -m benchmarks.thresholds [--worlds 1000] [--json] [--write docs/judging.md]

Two models score 60 pictures for each of some questions, on scales that look nothing alike, and all are judged. The true
threshold of the new model is known exactly, for as precise and for as many answers. Questions are alike, or differ
much: in how many pictures are relevant, and in how high all scores are. A new set of questions is drawn for each world,
and the console's own translation is asked for its interval.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm

from benchmarks.console.report import machine, write_section
from console_core.querylab.rankings import Grades
from console_core.querylab.thresholds import Scored, translate

CUT, DEPTH, RELEVANT = 0.8, 60, 0.25
EASE = {"alike": 0.25, "unlike": 0.5}
"""How far the scores of whole questions differ, in the old model's unit, as a standard deviation."""
QUERIES = (20, 40, 100)
AIMS = {"precision": "as precise", "volume": "as many answers"}
_OLD, _NEW = (1.3, 0.8), (0.8, 0.5)
"""How much higher a relevant picture scores, and the noise of a single score: in the old model, and in the new one
before its scores are squeezed."""


@dataclass(frozen=True)
class World:
    """What questions drew: whether each picture is relevant, and its scores, shape (queries, DEPTH)."""

    relevant: npt.NDArray[np.bool_]
    old: npt.NDArray[np.float64]
    new: npt.NDArray[np.float64]

    @classmethod
    def drawn(cls, kind: str, queries: int, seed: int) -> "World":
        random = np.random.default_rng([queries, seed])
        shape, ease = (queries, DEPTH), EASE[kind]
        shares = RELEVANT if kind == "alike" else random.beta(1, 3, size=(queries, 1))
        relevant = random.random(shape) < shares
        whole = random.normal(size=(queries, 1))
        old = _OLD[0] * relevant + ease * whole + _OLD[1] * random.normal(size=shape) - 0.5
        new = _NEW[0] * relevant + 0.6 * ease * whole + _NEW[1] * random.normal(size=shape)
        return cls(relevant, old, _squeezed(new))

    def grades(self) -> Grades:
        return {f"q{q}": {f"p{p}": int(one) for p, one in enumerate(row)} for q, row in enumerate(self.relevant)}


@dataclass(frozen=True)
class Held:
    """Shares of the worlds in which an interval was offered, and of those: it held the truth, or the truth was above
    or below it. `width` is its median, in the new model's unit."""

    questions: str
    queries: int
    aim: str
    worlds: int
    offered: float
    held: float
    above: float
    below: float
    width: float


def truth(kind: str, aim: str) -> float:
    """The new model's threshold that does to all questions together what CUT does in the old one."""
    ease = EASE[kind]

    def passing(cut: float, lift: float, spread: float) -> tuple[float, float]:
        return RELEVANT * norm.sf(cut, lift, spread), (1 - RELEVANT) * norm.sf(cut, 0, spread)

    def kept(parts: tuple[float, float]) -> float:
        return parts[0] / sum(parts) if aim == "precision" else sum(parts)

    wanted = kept(passing(CUT + 0.5, _OLD[0], np.hypot(ease, _OLD[1])))
    spread = np.hypot(0.6 * ease, _NEW[1])
    return float(_squeezed(brentq(lambda cut: kept(passing(cut, _NEW[0], spread)) - wanted, -1, 3)))


def scored(scores: npt.NDArray[np.float64]) -> Scored:
    """A column's answers, best first."""
    order = np.argsort(-scores, axis=1)
    return {f"q{q}": [(f"p{p}", float(scores[q, p])) for p in order[q]] for q in range(len(scores))}


def measure(kind: str, queries: int, worlds: int) -> Iterator[Held]:
    """For both aims, in the same worlds."""
    found: dict[str, list[tuple[float, float]]] = {aim: [] for aim in AIMS}
    for seed in range(worlds):
        world = World.drawn(kind, queries, seed)
        old, new, grades = scored(world.old), scored(world.new), world.grades()
        for aim in AIMS:
            told = translate(old, new, CUT, grades if aim == "precision" else None)
            if told.low is not None and told.high is not None:
                found[aim].append((told.low, told.high))
    for aim, some in found.items():
        low, high = np.array(some).T
        above, below = float(np.mean(high < truth(kind, aim))), float(np.mean(low > truth(kind, aim)))
        offered, width = len(some) / worlds, float(np.median(high - low))
        yield Held(kind, queries, aim, worlds, offered, 1 - above - below, above, below, width)


def section(found: list[Held], said: str) -> str:
    """The report as Markdown."""
    rows = [
        ("Questions", "how many", "keeps", "offered", "holds the truth", "truth above", "truth below"),
        ("---", "---:", "---", *["---:"] * 4),
    ]
    for one in found:
        shares = [f"{share:.1%}" for share in (one.offered, one.held, one.above, one.below)]
        rows.append((one.questions, str(one.queries), AIMS[one.aim], *shares))
    return f"{found[0].worlds:,} worlds each; {said}.\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _squeezed(score: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(0.25 + 0.05 * np.tanh(score), dtype=np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.thresholds", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--worlds", type=int, default=1000)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    given = parser.parse_args()
    said = machine()
    found = [held for kind in EASE for queries in QUERIES for held in measure(kind, queries, given.worlds)]
    if given.json:
        print(json.dumps({"machine": said, "found": [*map(asdict, found)]}, indent=2))
    else:
        print(section(found, said))
    if given.write:
        write_section(given.write, "benchmarks.thresholds", section(found, said))


if __name__ == "__main__":
    main()
