"""How sure a model is of a question, compared with its other questions: by the order of its scores alone."""

from collections.abc import Callable

import numpy as np
import pytest

from console_core.database import Database
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.query_sets import query
from console_core.judging.records import LabRecords
from console_core.judging.snapshots import ColumnAnswer, Ranked, Snapshot
from console_core.judging.sureness import FEWEST, Firsts, FirstScores, Sureness
from console_core.querylab.rankings import Query
from console_core.vectorstore.types import CollectionInfo, ModelStamp

WORDS = [query(f"question {number}") for number in range(30)]
PICTURES = [query(like=f"{number}") for number in range(FEWEST)]
ASKED = [*WORDS, *PICTURES]
FIRSTS = np.random.default_rng(4).choice(np.linspace(0.1, 0.4, 12), len(ASKED))  # many are equal


def answer(asked: Query, column: int, first: float) -> ColumnAnswer:
    return ColumnAnswer(asked.id, column, (Ranked("a", 1, first), Ranked("b", 2, first - 1)))


def answers(rescale: Callable[[float], float] = float) -> list[ColumnAnswer]:
    """The first column's scores; in the second the order is the other way round."""
    pairs = list(zip(ASKED, FIRSTS.tolist(), strict=True))
    return [answer(one, 0, rescale(first)) for one, first in pairs] + [answer(one, 1, -first) for one, first in pairs]


def sureness(given: list[ColumnAnswer], column: int) -> dict[str, float]:
    firsts = ((one.query, one.column, one.ranked[0].score) for one in given if one.ranked)
    return Firsts.of(firsts, ASKED, 2).sureness(column)


def test_it_is_the_share_of_the_other_questions_whose_first_answer_scores_lower() -> None:
    found, firsts = sureness(answers(), 0), dict(zip((one.id for one in WORDS), FIRSTS, strict=False))
    for name, first in firsts.items():
        others = [value for other, value in firsts.items() if other != name]
        lower, equal = sum(value < first for value in others), sum(value == first for value in others)
        assert found[name] == pytest.approx((lower + equal / 2) / 29)
    assert min(found.values()) < 0.1 < 0.9 < max(found.values()), "unlike percentiles, it differs between questions"


def test_words_are_compared_with_words_only_and_with_enough_of_them() -> None:
    assert set(sureness(answers(), 0)) == {one.id for one in WORDS}, "of pictures there are only 19 others"
    failed = [ColumnAnswer(one.query, 0, error="no") if place < 10 else one for place, one in enumerate(answers())]
    assert sureness(failed, 0) == {}


@pytest.mark.parametrize("rescale", [lambda score: 7 * score**3 - 2, np.exp, lambda score: -1 / score])
def test_no_monotone_rescaling_of_a_models_scores_changes_it(rescale: Callable[[float], float]) -> None:
    assert sureness(answers(rescale), 0) == sureness(answers(), 0)
    assert sureness(answers(rescale), 1) == sureness(answers(), 1)


@pytest.fixture
def lab(database: Database) -> LabRecords:
    return LabRecords(database)


def kept(lab: LabRecords, set_name: str, fingerprint: str = "print") -> Snapshot:
    saved = lab.query_sets.save(set_name, ASKED, origin="", by="ann")
    columns = [AskedColumn(name, name, "m", fingerprint, 4, 100) for name in ("old", "new")]
    begun = lab.snapshots.begin(saved, columns, depth=2, by="ann")
    lab.snapshots.add(begun.id, answers(), [])
    return lab.snapshots.seal(begun.id)


def info(name: str) -> CollectionInfo:
    return CollectionInfo(name, 4, "cosine", 100, "green", ModelStamp("m", "print"), (), {}, {}, ())


def test_a_single_question_is_compared_with_the_newest_set_that_was_asked_of_the_collection_as_it_is(
    lab: LabRecords,
) -> None:
    new = query("something else")
    assert lab.firsts.sureness(info("old"), new, 0.2) is None
    kept(lab, "usual")
    kept(lab, "newer, by another model", "other")
    found = lab.firsts.sureness(info("old"), new, 0.2)
    assert found == Sureness(float(np.mean(FIRSTS[:30] < 0.2)), 30, "usual", 1)
    assert lab.firsts.sureness(info("old"), query(like="1"), 0.2) is None
    among = query(like="new")
    assert lab.firsts.sureness(info("old"), among, 9.0) == Sureness(1.0, FEWEST, "usual", 1)
    for place, column in enumerate(("old", "new")):
        of_set = sureness(answers(), place)
        for one in WORDS[:5]:
            (first,) = (each.ranked[0].score for each in answers() if (each.query, each.column) == (one.id, place))
            again = lab.firsts.sureness(info(column), one, first)
            assert again is not None
            assert again.share == pytest.approx(of_set[one.id])
            assert again.questions == 29


def test_the_scores_of_all_snapshots_are_kept_as_long_as_there_is_room(lab: LabRecords) -> None:
    made = [kept(lab, f"set {number}") for number in range(10)]
    found = [lab.firsts.of(one) for one in made]
    assert [lab.firsts.of(one) for one in made] == found
    assert found[0].sureness(1) == sureness(answers(), 1)
    room = FirstScores(lab.snapshots, lab.query_sets, most=2 * len(ASKED))
    first, _ = room.of(made[0]), room.of(made[1])
    assert room.of(made[0]) is not first


def test_a_first_score_is_read_behind_a_key_of_any_length_and_only_where_there_is_one(lab: LabRecords) -> None:
    saved = lab.query_sets.save("usual", WORDS, origin="", by="ann")
    begun = lab.snapshots.begin(saved, [AskedColumn("old", "old", "m", "print", 4, 100)], depth=9, by="ann")
    long, short, none, wrong = sorted(one.id for one in WORDS[:4])
    given = [
        ColumnAnswer(long, 0, (Ranked('ü"\n' * 2000, "a", 0.1 + 0.2), Ranked("b", 2, 0.1))),
        ColumnAnswer(short, 0, tuple(Ranked(f"{rank}], [", rank, -1e-17 - rank) for rank in range(9))),
        ColumnAnswer(none, 0),
        ColumnAnswer(wrong, 0, error="no"),
    ]
    lab.snapshots.add(begun.id, given, [])
    assert list(lab.snapshots.firsts(begun.id)) == [(long, 0, 0.1 + 0.2), (short, 0, -1e-17)]
    complete = lab.firsts.of(lab.snapshots.get(begun.id))
    lab.snapshots.add(begun.id, [answer(WORDS[5], 0, 3.0)], [])
    assert np.isnan(complete.scores[0, 5])
    assert lab.firsts.of(lab.snapshots.get(begun.id)).scores[0, 5] == 3.0
