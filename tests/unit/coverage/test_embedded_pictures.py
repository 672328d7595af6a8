"""The pictures behind the bar "embedded", and pages of the gaps behind the others."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from console_core.coverage import facets
from console_core.coverage.embedded import embedded_rows
from console_core.coverage.measure import measure
from console_core.coverage.report import OTHER, CoverageReport, Gap, Status
from console_core.vectorstore.types import Point, PointId

if TYPE_CHECKING:
    from tests.unit.coverage.conftest import World

COLLECTION = "images-demo-clip"


def _keys(world: "World", **chosen: object) -> list[str]:
    return [row.key for row in embedded_rows(world.catalog, world.store, COLLECTION, **chosen)]  # type: ignore[arg-type]


def _report(world: "World") -> CoverageReport:
    *_, last = measure(world.catalog, world.store, COLLECTION, world.ledger.failed_among)
    assert last.report is not None
    return last.report


def test_embedded_are_the_pictures_with_a_present_point_and_no_others(world: "World") -> None:
    world.add(range(1, 8))
    world.embed([1, 2, 3])
    world.embed([4], fingerprint="another")
    world.change(2)
    assert _keys(world) == ["1", "3"]


def test_a_facet_value_shows_as_many_as_the_report_counts_there(world: "World") -> None:
    world.add(range(1, 31), user=1)
    world.add(range(31, 51), user=2)
    world.add(range(51, 53), user=None)
    world.embed(range(1, 53, 2))
    report = _report(world)
    for value, counts in report.facets["user_id"].items():
        found = _keys(world, facet="user_id", value=value, named=report.facets["user_id"])
        assert len(found) == counts[Status.EMBEDDED]
    assert _keys(world, facet="user_id", value="") == ["51"]


def test_all_others_are_those_beside_the_named_values(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facets, "MOST_VALUES", 1)
    world.add([1, 2, 3, 4], user=1)
    world.add([5], user=2)
    world.add([6], user=3)
    world.embed([1, 5, 6])
    report = _report(world)
    assert set(report.facets["user_id"]) == {"1", OTHER}
    assert _keys(world, facet="user_id", value=OTHER, named=report.facets["user_id"]) == ["5", "6"]


def test_no_more_is_read_than_is_asked_for(world: "World", monkeypatch: pytest.MonkeyPatch) -> None:
    world.add(range(1, 601))
    world.embed(range(1, 601))
    asked: list[PointId] = []
    retrieve = world.store.retrieve

    def counted(name: str, ids: Sequence[PointId]) -> list[Point]:
        asked.extend(ids)
        return retrieve(name, ids)

    monkeypatch.setattr(world.store, "retrieve", counted)
    assert len(list(islice(embedded_rows(world.catalog, world.store, COLLECTION), 10))) == 10
    assert len(asked) < 600


@pytest.mark.parametrize("facet", [None, "user_id"])
def test_pages_of_gaps_follow_one_another_without_a_hole(world: "World", facet: str | None) -> None:
    world.add(range(1, 24))
    found = [Gap(str(key), Status.MISSING, facets={"user_id": "1"}) for key in range(1, 24)]
    snapshot = world.records.save(_report(world), [found])
    pages = [
        [one.gap.key for one in world.records.gaps(snapshot.id, facet=facet, value="1", skip=skip, limit=10)]
        for skip in (0, 10, 20, 30)
    ]
    assert [len(page) for page in pages] == [10, 10, 3, 0]
    assert [key for page in pages for key in page] == [str(key) for key in range(1, 24)]
