"""What counts of several judges' grades."""

import numpy as np

from console_core.database import now
from console_core.judging.judgements import Judgement, combined
from console_core.judging.judges import counting
from console_core.judging.protocol import Protocol
from console_core.judging.verdict import decide

PROTOCOL = Protocol(k=5, queries=0)


def said(judge: str, query: str, key: str, grade: int) -> Judgement:
    return Judgement(0, query, key, judge, grade, now())


def test_grades_count_for_a_query_only_where_their_judge_graded_its_whole_pool() -> None:
    whole = [said("ann", "q1", "a", 3), said("ann", "q1", "b", 1)]
    part = [said("ann", "q2", "a", 2), said("ben", "q1", "b", 0), said("ben", "q2", "b", 0)]
    unasked = [said("ben", "q3", "c", 1)]
    assert counting([*part, *whole, *unasked], {"q1": ("b", "a"), "q2": ("a", "b")}) == [*whole, *unasked]
    assert counting([], {"q1": ("a",)}) == []


def test_a_second_judge_as_noisy_as_the_first_but_only_on_one_columns_own_pictures_never_condemns_it() -> None:
    """Twenty trials with two columns that are truly alike; with all grades taken as they are it happens."""
    condemned = False
    for trial in range(20):
        chance = np.random.default_rng(trial)
        queries = [f"q{number:03}" for number in range(60)]
        drawn = {query: [f"p{key}" for key in chance.permutation(200)[:8]] for query in queries}
        a = {query: keys[:5] for query, keys in drawn.items()}
        b = {query: list(chance.permutation(keys[3:])) for query, keys in drawn.items()}
        given = []
        for query, keys in drawn.items():
            true = chance.integers(0, 4, len(keys))
            for judge, first in (("ann", 0), ("ben", 5)):
                noisy = np.clip(true + chance.integers(-1, 2, len(keys)), 0, 3)
                given += [said(judge, query, keys[place], int(noisy[place])) for place in range(first, len(keys))]
        kept = combined(counting(given, drawn))
        found = decide(PROTOCOL, PROTOCOL.digest, a, b, kept, resamples=499)
        assert found.outcome in ("non-inferior", "inconclusive")
        assert found.a.judged.at_k == found.b.judged.at_k == 1
        if not condemned:
            found = decide(PROTOCOL, PROTOCOL.digest, a, b, combined(given), resamples=499)
            condemned = found.outcome == "inferior"
    assert condemned
