"""The agreement board of a snapshot: any two columns, any depth that was kept, any p; and a refusal of all else."""

import pytest

from console_core.database import Database
from console_core.errors import Refused
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.boards import board_of, usual_k
from console_core.judging.query_sets import query
from console_core.judging.records import LabRecords
from console_core.judging.snapshots import ColumnAnswer, Ranked, Snapshot
from console_core.querylab.shifts import agreement

QUESTIONS = [query("a dog"), query("a cat"), query("a cow")]
ANSWERS = {
    "old": ("abcd", "abcd", "abcd"),
    "new": ("abcd", "badc", "wxyz"),
    "other": ("dcba", "abcx", "abdc"),
}


@pytest.fixture
def lab(database: Database) -> LabRecords:
    return LabRecords(database)


def answered(lab: LabRecords, *names: str) -> Snapshot:
    """Three questions, four answers each."""
    kept = lab.query_sets.save("usual", QUESTIONS, origin="", by="ann")
    columns = [AskedColumn(name, name, name, f"{name}-print", 4, 100, {}) for name in names]
    begun = lab.snapshots.begin(kept, columns, depth=4, by="ann")
    given = [
        ColumnAnswer(one.id, place, tuple(Ranked(key, key, 1.0 - rank / 10) for rank, key in enumerate(keys)))
        for place, name in enumerate(names)
        for one, keys in zip(QUESTIONS, ANSWERS[name], strict=True)
    ]
    lab.snapshots.add(begun.id, given, [])
    return lab.snapshots.seal(begun.id)


@pytest.mark.parametrize(("other", "k", "p"), [(1, 4, 0.9), (1, 2, 0.8), (2, 3, 0.95), (2, 1, 0.5)])
def test_each_question_has_the_numbers_of_the_two_lists_that_were_chosen(
    lab: LabRecords, other: int, k: int, p: float
) -> None:
    found = board_of(lab, answered(lab, *ANSWERS), other=other, k=k, p=p)
    assert (found.k, found.p) == (k, p)
    lists = {one.label: keys for one, keys in zip(QUESTIONS, ANSWERS[list(ANSWERS)[other]], strict=True)}
    for row in found.rows:
        assert row.agreement == agreement("abcd"[:k], lists[row.query.label][:k], k=k, p=p)
    assert len(found.rows) == 3


def test_as_many_places_as_were_kept_are_compared_where_those_are_fewer_than_ten(lab: LabRecords) -> None:
    snapshot = answered(lab, "old", "new")
    assert usual_k(snapshot) == board_of(lab, snapshot).k == 4


def test_a_column_a_depth_and_a_p_that_are_not_there_are_refused_with_what_there_is(lab: LabRecords) -> None:
    snapshot = answered(lab, *ANSWERS)
    for wanted, remedy in (
        ({"other": 0}, "from 2 to 3"),
        ({"other": 3}, "from 2 to 3"),
        ({"k": 0}, "from 1 to 4"),
        ({"k": 5}, "from 1 to 4"),
        ({"p": 1.0}, "between 0 and 1"),
    ):
        with pytest.raises(Refused) as refused:
            board_of(lab, snapshot, **wanted)
        assert remedy in refused.value.remedy
    with pytest.raises(Refused, match="one column only"):
        board_of(lab, answered(lab, "old"))
