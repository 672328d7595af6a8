"""Coverage in the ledger: snapshots stay, the pictures behind the newest one can be listed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console_core.catalog.types import EVERYTHING, Slice
from console_core.coverage import gaps as records_module
from console_core.coverage.gaps import CoverageRecords
from console_core.coverage.report import CoverageReport, Gap, Status
from console_core.database import Database

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def report(collection: str = "images-b", hour: int = 0, part: Slice = EVERYTHING) -> CoverageReport:
    return CoverageReport(
        collection=collection,
        model="demo-clip",
        fingerprint="f1",
        measured_at=START + timedelta(hours=hour),
        totals={"embedded": 10 + hour, "stale": 1, "failed": 2, "missing": 3},
        stale={"changed": 1, "other model": 0},
        facets={"user_id": {"1": {"embedded": 10 + hour, "stale": 1, "failed": 2, "missing": 3}}},
        orphaned=1,
        part=part,
    )


def gap(number: int, status: Status = Status.MISSING, **facets: str) -> Gap:
    return Gap(f"{number:06}", status, "", facets)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield database
    database.close()


@pytest.fixture
def records(database: Database) -> CoverageRecords:
    return CoverageRecords(database)


def test_a_report_survives_json_and_the_ledger(records: CoverageRecords) -> None:
    sliced = report(part=Slice({"user_id": ("1", "")}, ("a", "b")))
    assert CoverageReport.from_json(sliced.as_json()) == sliced
    saved = records.save(sliced, [])
    assert records.latest("images-b", sliced.part) == saved
    assert saved.report.total == 16
    assert saved.report.coverage == 10 / 16


def test_nothing_was_measured_before_the_first_snapshot(records: CoverageRecords) -> None:
    assert records.latest("images-b") is None
    assert records.history("images-b") == []


def test_gaps_come_in_pages_in_the_order_found_and_none_twice(records: CoverageRecords) -> None:
    snapshot = records.save(report(), ([gap(10 * batch + place) for place in range(10)] for batch in range(15)))
    keys: list[str] = []
    after = 0
    while page := records.gaps(snapshot.id, after=after, limit=60):
        keys += [found.gap.key for found in page]
        after = page[-1].number
    assert keys == [f"{number:06}" for number in range(150)]


def test_gaps_are_chosen_by_status_and_by_facet_value_exactly(records: CoverageRecords) -> None:
    batch = [
        gap(1, Status.FAILED, folder="cats"),
        gap(2, Status.FAILED, folder="Cats"),
        gap(3, Status.MISSING, folder="cats", user_id="cats"),
        gap(4, Status.STALE, folder=""),
        gap(5, Status.ORPHANED),
    ]
    snapshot = records.save(report(), [batch]).id

    def keys(**chosen: str) -> list[int]:
        return [int(found.gap.key) for found in records.gaps(snapshot, **chosen)]  # type: ignore[arg-type]

    assert keys() == [1, 2, 3, 4, 5]
    assert keys(status="failed") == [1, 2]
    assert keys(facet="folder", value="cats") == [1, 3]
    assert keys(facet="folder", value="cats", status="missing") == [3]
    assert keys(facet="folder", value="") == [4]
    assert keys(facet="user_id", value="1") == []
    assert records.gaps(snapshot, status="missing")[0].gap == batch[2]


@pytest.mark.parametrize("value", ["100%", "a_b", 'say "hi"', "back\\slash", "Zürich/東京", "it's", "a/b", " "])
def test_any_text_can_be_a_facet_value(records: CoverageRecords, value: str) -> None:
    lookalikes = [value.upper() + "x", value.replace("_", "-"), value + " ", "", f'{value}","folder":"{value}']
    batch = [gap(number, folder=text) for number, text in enumerate([value, *lookalikes, value])]
    snapshot = records.save(report(), [batch])
    assert {found.gap.facets["folder"] for found in records.gaps(snapshot.id, facet="folder", value=value)} == {value}
    assert records.gaps(snapshot.id, facet="folder", value=value)[-1].number == len(batch)
    assert [found.number for found in records.gaps(snapshot.id, facet="folder", value=value, limit=1)] == [1]


def test_only_the_newest_snapshot_keeps_gaps_and_every_one_its_totals(records: CoverageRecords) -> None:
    older = records.save(report(hour=0), [[gap(1, user_id="1")]])
    newer = records.save(report(hour=1), [[gap(2, user_id="1")]])
    assert records.gaps(older.id) == records.gaps(older.id, facet="user_id", value="1") == []
    assert [found.gap.key for found in records.gaps(newer.id)] == ["000002"]
    history = records.history("images-b")
    assert [snapshot.report.totals["embedded"] for snapshot in history] == [11, 10]
    assert history[0] == newer
    assert history[1].report == replace(older.report, facets={})
    assert history[1].kept == {}
    assert records.history("images-b", limit=1) == [newer]


def test_collections_and_slices_do_not_take_each_others_gaps(records: CoverageRecords) -> None:
    part = Slice({"user_id": ("1",)})
    whole = records.save(report(), [[gap(1)]])
    other = records.save(report("images-a"), [[gap(2)]])
    sliced = records.save(report(hour=5, part=part), [[gap(3)]])
    assert records.latest("images-b") == whole
    assert records.latest("images-a") == other
    assert records.latest("images-b", part) == sliced
    assert [len(records.gaps(each.id)) for each in (whole, other, sliced)] == [1, 1, 1]


def test_a_status_with_too_many_gaps_does_not_crowd_out_the_others(
    records: CoverageRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records_module, "KEPT_PER_STATUS", 7)
    snapshot = records.save(
        report(), [[gap(n) for n in range(5)], [gap(n) for n in range(5, 20)], [gap(99, Status.ORPHANED)]]
    )
    assert snapshot.kept == {"missing": 7, "orphaned": 1}
    assert [found.gap.key for found in records.gaps(snapshot.id)] == [f"{n:06}" for n in [*range(7), 99]]


def test_a_measurement_that_breaks_off_leaves_the_last_snapshot_as_it_was(records: CoverageRecords) -> None:
    kept = records.save(report(), [[gap(1)]])

    def breaking() -> Iterator[list[Gap]]:
        yield [gap(2)]
        raise RuntimeError("the store went away")

    with pytest.raises(RuntimeError, match="went away"):
        records.save(report(hour=1), breaking())
    assert records.history("images-b") == [kept]
    assert [found.gap.key for found in records.gaps(kept.id)] == ["000001"]


def test_what_a_killed_measurement_left_is_not_shown_and_goes_with_the_next(records: CoverageRecords) -> None:
    abandoned = records.begin("images-b")
    abandoned.add([gap(1)])
    assert records.latest("images-b") is None
    first = records.begin("images-b")
    first.add([gap(2)])
    snapshot = first.publish(report())
    assert [found.gap.key for found in records.gaps(snapshot.id)] == ["000002"]
    assert records.gaps(snapshot.id - 1) == []


def test_discarding_a_published_draft_changes_nothing(records: CoverageRecords) -> None:
    draft = records.begin("images-b")
    draft.add([gap(1)])
    snapshot = draft.publish(report())
    draft.discard()
    assert records.latest("images-b") == snapshot
    assert len(records.gaps(snapshot.id)) == 1


def test_a_report_on_something_else_cannot_be_published(records: CoverageRecords) -> None:
    with pytest.raises(ValueError, match="images-a"):
        records.begin("images-b").publish(report("images-a"))
