"""A threshold is translated from what two columns answered to the same questions."""

import numpy as np
import pytest

from console_core.catalog.types import ImageRow
from console_core.database import Database
from console_core.errors import Refused
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.cutoffs import asked_of_both, cutoff, revealed_of, usual
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import query
from console_core.judging.records import LabRecords
from console_core.judging.snapshots import ColumnAnswer, Ranked, Snapshot
from console_core.vectorstore.types import CollectionInfo, ModelStamp

QUESTIONS = 40


@pytest.fixture
def lab(database: Database) -> LabRecords:
    return LabRecords(database)


@pytest.fixture
def snapshot(lab: LabRecords) -> Snapshot:
    """Forty questions; the second column's scores are a tenth of the first one's, plus two."""
    asked = [query(f"question {number}") for number in range(QUESTIONS)]
    kept = lab.query_sets.save("usual", asked, origin="", by="ann")
    columns = [
        AskedColumn(name, name, name, f"{name}-print", 4, 100, {"distance": "cosine"}) for name in ("old", "new")
    ]
    begun = lab.snapshots.begin(kept, columns, depth=20, by="ann")
    chance = np.random.default_rng(3)
    given = []
    for one in asked:
        scores = np.sort(chance.random(20))[::-1]
        for place in (0, 1):
            ranked = [Ranked(f"k{rank}", rank, float(s if place == 0 else 2 + s / 10)) for rank, s in enumerate(scores)]
            given.append(ColumnAnswer(one.id, place, tuple(ranked)))
    lab.snapshots.add(begun.id, given, [ImageRow("k0", (), {}, "")])
    return lab.snapshots.seal(begun.id)


def test_without_judgements_the_new_threshold_lets_as_many_answers_through(lab: LabRecords, snapshot: Snapshot) -> None:
    found = cutoff(lab, snapshot, 0.5)
    assert found.found.basis == "volume"
    assert found.found.new == pytest.approx(2.05, abs=0.002)
    interval = found.found.low, found.found.high
    assert interval[0] is not None
    assert interval[1] is not None
    assert interval[0] <= 2.052
    assert interval[1] >= 2.048
    assert "as many answers" in found.text
    space: dict[str, object] = {}
    exec(found.python(), space)
    passes = space["passes"]
    assert callable(passes)
    assert passes(2.06, "new-print")
    assert not passes(2.04, "new-print")
    with pytest.raises(ValueError, match="old-print"):
        passes(2.06, "old-print")


def test_with_a_revealed_evaluation_it_keeps_the_precision_of_its_grades(lab: LabRecords, snapshot: Snapshot) -> None:
    made = lab.judgements.get(lab.judgements.begin(snapshot.id, (0, 1), Protocol(k=20), by="ann"))
    for one in lab.snapshots.answers(snapshot.id):
        if one.column == 0:
            for each in one.ranked:
                lab.judgements.judge(made, one.query, each.key, 3 if each.score > 0.4 else 0, by="ann")
    assert revealed_of(lab, snapshot) is None
    with pytest.raises(Refused, match="blindly"):
        cutoff(lab, snapshot, 0.3, evaluation=made)
    told = lab.judgements.reveal(made.id, by="ann")
    assert revealed_of(lab, snapshot) == told
    found = cutoff(lab, snapshot, 0.3, evaluation=told)
    assert (found.found.basis, found.judged_in) == ("precision", made.id)
    assert found.found.new == pytest.approx(2.03, abs=0.005)


def test_an_evaluation_without_a_grade_that_counts_keeps_no_volume_and_says_what_it_lacks(
    lab: LabRecords, snapshot: Snapshot
) -> None:
    made = lab.judgements.begin(snapshot.id, (0, 1), Protocol(k=20), by="ann")
    found = cutoff(lab, snapshot, 0.3, evaluation=lab.judgements.reveal(made, by="ann"))
    assert (found.found.basis, found.judged_in, found.found.new, found.found.new_volume) == (
        *("precision", made),
        *(None, None),
    )
    assert found.text == (
        "No threshold is proposed. The old column has 0 judged answers from its threshold on, and 100 are needed."
    )


def test_what_cannot_be_translated_is_refused_or_says_why(lab: LabRecords, snapshot: Snapshot) -> None:
    with pytest.raises(Refused, match="two columns"):
        cutoff(lab, snapshot, 0.3, new=2)
    nothing = cutoff(lab, snapshot, 5.0)
    assert nothing.found.new is None
    assert nothing.text.startswith("No threshold is proposed.")
    with pytest.raises(Refused):
        nothing.python()
    votes = lab.judgements.get(lab.judgements.begin(snapshot.id, (0, 1), Protocol(), way="votes", by="ann"))
    with pytest.raises(Refused, match="Votes"):
        cutoff(lab, snapshot, 0.3, evaluation=votes)


def test_a_threshold_to_begin_with_is_the_median_of_the_fifth_answers(lab: LabRecords, snapshot: Snapshot) -> None:
    fifths = sorted(one.ranked[4].score for one in lab.snapshots.answers(snapshot.id) if one.column == 0)
    assert usual(lab.snapshots.answers(snapshot.id), 0) == fifths[QUESTIONS // 2]
    assert usual([], 0) == 0.0


def test_a_snapshot_of_two_collections_is_found_as_they_are_now_first_where_the_old_one_is_the_reference(
    lab: LabRecords, snapshot: Snapshot
) -> None:
    def info(name: str, fingerprint: str = "") -> CollectionInfo:
        stamp = ModelStamp(name, fingerprint or f"{name}-print")
        return CollectionInfo(name, 4, "cosine", 100, "green", stamp, (), {}, {}, ())

    old, new, third = info("old"), info("new"), info("third")
    assert asked_of_both(lab, old, [third, new]) == snapshot
    assert asked_of_both(lab, old, [third]) is None
    assert asked_of_both(lab, old, [old]) is None
    assert asked_of_both(lab, info("old", "other"), [new]) is None
    asked = lab.query_sets.get("usual")
    newer = lab.snapshots.begin(asked, snapshot.columns[::-1], depth=20, by="ann")
    assert asked_of_both(lab, new, [old]) == snapshot, "what is not complete is not offered"
    newer = lab.snapshots.seal(newer.id)
    assert asked_of_both(lab, new, [old]) == newer
    assert asked_of_both(lab, old, [new]) == snapshot
