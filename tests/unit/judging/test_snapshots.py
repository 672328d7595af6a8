"""A complete snapshot never changes: what was changed behind its back is noticed, whatever it was."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Update, delete, insert, update
from sqlalchemy.sql.dml import Delete, Insert

from console_core.catalog.types import ImageRow
from console_core.database import Database
from console_core.judging import records
from console_core.judging.asked_columns import AskedColumn, AskedEncoder
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import queries, query
from console_core.judging.readings import Readings
from console_core.judging.records import LabRecords
from console_core.judging.snapshot_tables import answers, shown, snapshots
from console_core.judging.snapshots import ColumnAnswer, Ranked, Snapshot
from console_core.vectorstore.ways import Search

QUESTIONS = [query("a fox", tags=("wild",)), query("a cat"), query(like="p1")]
COLUMNS = [AskedColumn(name, name, f"model-{name}", "fp", 8, 40, {"distance": "cosine"}) for name in ("a", "b")]
KEYS = ("p1", "p2", "p3")


def sealed(lab: LabRecords) -> Snapshot:
    kept = lab.query_sets.save("usual", QUESTIONS, origin="a test", by="olga")
    begun = lab.snapshots.begin(kept, COLUMNS, depth=3, by="olga")
    ranked = tuple(Ranked(key, place, 0.5 - place / 10) for place, key in enumerate(KEYS))
    given = [
        ColumnAnswer(one.id, column, ranked, margin=None if one.like else 0.25)
        for one in QUESTIONS
        for column in (0, 1)
    ]
    lab.snapshots.add(begun.id, given, [ImageRow(key, (f"{key}.png",), {}, "1") for key in KEYS])
    return lab.snapshots.seal(begun.id)


@pytest.fixture
def lab(database: Database) -> LabRecords:
    return LabRecords(database)


_AS_KEPT = [one.as_json() for one in COLUMNS]
_OLD_DIGEST = "58862d3e3834c885"
"""What `sealed` gave before ways and encoder checks were part of a column."""
_OTHER_WAY = [one | {"way": "exact"} for one in _AS_KEPT]
_CHECKED = AskedEncoder("green", datetime(2026, 11, 3, 14, tzinfo=UTC), "r-1", datetime(2026, 11, 3, 11, tzinfo=UTC))
_OTHER_ENCODER = [one | {"encoder": _CHECKED.as_json()} for one in _AS_KEPT]
_OTHER = [{"asked": "a", "collection": "a", "model": "another", "fingerprint": "fp", "dimension": 8, "points": 40}]


@pytest.mark.parametrize(
    "change",
    [
        update(answers).where(answers.c.query == QUESTIONS[0].id).values(error="never"),
        update(answers).where(answers.c.query == QUESTIONS[0].id).values(margin=0.5),
        update(answers).where(answers.c.query == QUESTIONS[1].id).values(ranked=[["p2", 1, 0.4, None]]),
        delete(answers).where(answers.c.column == 1),
        update(queries).where(queries.c.text == "a fox").values(text="a red fox"),
        update(queries).where(queries.c.text == "a fox").values(tags=["tame"]),
        update(queries).where(queries.c.like == "p1").values(like="p2"),
        delete(queries).where(queries.c.text == "a cat"),
        update(snapshots).values(columns=_OTHER),
        update(snapshots).values(columns=_OTHER_WAY),
        update(snapshots).values(columns=_OTHER_ENCODER),
        update(snapshots).values(depth=2),
        update(snapshots).values(set_version=2),
        update(shown).where(shown.c.key == "p1").values(revision="2"),
        update(shown).where(shown.c.key == "p1").values(candidates=["p2.png"]),
        delete(shown).where(shown.c.key == "p3"),
        insert(shown).values(snapshot="", key="p4", candidates=[], payload={}, revision="1"),
    ],
    ids=lambda change: str(change).split("WHERE", maxsplit=1)[0].strip(),
)
def test_whatever_was_changed_of_a_complete_snapshot_is_noticed(
    lab: LabRecords, database: Database, change: Update | Delete | Insert
) -> None:
    snapshot = sealed(lab)
    assert lab.snapshots.is_intact(snapshot)
    with database.transaction() as connection:
        told = change.values(snapshot=snapshot.id) if isinstance(change, Insert) else change
        assert connection.execute(told).rowcount
    assert not lab.snapshots.is_intact(snapshot)


def test_a_snapshot_from_before_ways_and_encoder_checks_were_kept_has_its_digest_and_reads_as_it_was(
    lab: LabRecords, database: Database
) -> None:
    snapshot = sealed(lab)
    older = [{name: value for name, value in told.items() if name not in ("way", "encoder")} for told in _AS_KEPT]
    with database.transaction() as connection:
        connection.execute(update(snapshots).values(columns=older, digest=_OLD_DIGEST))
    found = lab.snapshots.get(snapshot.id)
    assert lab.snapshots.is_intact(found)
    assert found.columns == tuple(COLUMNS)
    assert [(one.name, one.way, one.encoder) for one in found.columns] == [(n, Search.USUAL, None) for n in "ab"]


def test_a_later_version_of_the_questions_and_another_snapshot_leave_it_intact(lab: LabRecords) -> None:
    first = sealed(lab)
    lab.query_sets.save("usual", [query("a dog")], origin="a test", by="olga")
    second = sealed(lab)
    assert (first.set_version, second.set_version) == (1, 3)
    assert lab.snapshots.is_intact(first)
    assert lab.snapshots.is_intact(second)
    assert first.digest != second.digest


def test_what_was_read_of_a_complete_snapshot_is_read_once_and_looked_at_anew_for_a_verdict(
    lab: LabRecords, database: Database
) -> None:
    snapshot = sealed(lab)
    kept = lab.readings.of(snapshot)
    assert list(kept.answers) == lab.snapshots.answers(snapshot.id)
    assert kept.rankings == lab.snapshots.rankings(snapshot) == ({one.id: KEYS for one in QUESTIONS},) * 2
    assert kept.margins == lab.snapshots.margins(snapshot)
    assert lab.readings.is_intact(snapshot)
    with database.transaction() as connection:
        connection.execute(delete(answers))
    assert lab.readings.of(lab.snapshots.get(snapshot.id)) is kept
    assert len(kept.answers) == 6
    assert lab.readings.is_intact(snapshot)
    assert not lab.readings.is_intact(snapshot, afresh=True)
    assert not lab.readings.is_intact(snapshot)


def test_only_as_many_snapshots_are_kept_as_fit_and_none_that_is_not_complete(lab: LabRecords) -> None:
    first, second, third = (sealed(lab) for _ in range(3))  # of 18 pictures each
    readings = Readings(lab.snapshots, most=40)
    kept = {one.id: readings.of(one) for one in (first, second)}
    assert readings.of(first) is kept[first.id]
    readings.of(third)
    assert readings.of(first) is kept[first.id]
    assert readings.of(second) is not kept[second.id]
    assert Readings(lab.snapshots, most=17).of(first).rankings == kept[first.id].rankings
    begun = lab.snapshots.begin(lab.query_sets.get("usual"), COLUMNS, depth=3, by="olga")
    assert readings.of(begun).answers == ()
    lab.snapshots.add(begun.id, [ColumnAnswer(QUESTIONS[0].id, 0)], [])
    assert len(readings.of(begun).answers) == 1


def test_a_key_is_in_memory_once_however_often_it_was_found(lab: LabRecords) -> None:
    snapshot = sealed(lab)
    told = [key for ranking in lab.snapshots.rankings(snapshot) for keys in ranking.values() for key in keys]
    found = [each.key for one in lab.snapshots.answers(snapshot.id) for each in one.ranked]
    for keys in (told, found):
        assert len(keys) == 18
        assert len({id(key) for key in keys}) == 3


def test_desks_are_kept_by_their_size_and_the_newest_one_always(
    lab: LabRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = sealed(lab)
    begun = [lab.judgements.begin(snapshot.id, (0, 1), Protocol(k=2, seed=seed), by="olga") for seed in range(3)]
    first, second, third = map(lab.judgements.get, begun)
    monkeypatch.setattr(records, "MOST_PLACES", 42)
    kept = lab.desk(first), lab.desk(second)
    assert [one.size for one in kept] == [21, 21]
    assert (lab.desk(second), lab.desk(first)) == kept[::-1]
    lab.desk(third)
    assert lab.desk(first) is kept[0]
    assert lab.desk(second) is not kept[1]
    monkeypatch.setattr(records, "MOST_PLACES", 1)
    assert lab.desk(third) is lab.desk(third)
