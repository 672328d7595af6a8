"""Catalog minus collection: every row gets the status that a person would give it."""

import gc
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from PIL import Image

from console_core.catalog.folder import FolderCatalog
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageCatalog, ImageRow, Slice
from console_core.coverage import facets as facets_module
from console_core.coverage.facets import FacetCounts
from console_core.coverage.measure import PAGE, measure
from console_core.coverage.report import OTHER, CoverageReport, Gap, Status
from console_core.errors import CollectionNotFound
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.unit.coverage.conftest import COLLECTION, World

ORIGIN = Provenance("", "", "sha", "f1", "run", "2026-01-02")


def measured(world: World, part: Slice = EVERYTHING, page_size: int = PAGE) -> tuple[CoverageReport, list[Gap]]:
    among = world.ledger.failed_among
    steps = list(measure(world.catalog, world.store, COLLECTION, among, part=part, page_size=page_size))
    report = steps[-1].report
    assert report is not None
    assert [step.report for step in steps[:-1]] == [None] * (len(steps) - 1)
    assert sum(step.rows for step in steps) == report.total
    return report, [gap for step in steps for gap in step.gaps]


def test_a_mixed_collection_is_told_apart_row_by_row(world: World) -> None:
    world.add(range(1, 301))
    world.embed(range(1, 201))
    world.embed(range(191, 201), fingerprint="another")
    world.change(7)
    world.fail(250, 251)
    world.remove(100)
    report, gaps = measured(world, page_size=64)
    assert report.totals == {"embedded": 188, "stale": 11, "failed": 2, "missing": 98}
    assert report.stale == {"changed": 1, "other model": 10}
    assert report.orphaned == 1
    assert report.total == 299
    assert report.coverage == 188 / 299
    by_key = {gap.key: gap for gap in gaps}
    assert len(by_key) == len(gaps) == 11 + 2 + 98 + 1
    assert (by_key["7"].status, by_key["7"].detail) == (Status.STALE, "changed")
    assert (by_key["195"].status, by_key["195"].detail) == (Status.STALE, "other model")
    assert by_key["250"].detail == "unreadable: It is truncated."
    assert (by_key["100"].status, by_key["100"].detail) == (Status.ORPHANED, "point 100")
    assert by_key["299"] == Gap(
        "299", Status.MISSING, "", {"user_id": "1", "image_type": "photo", "folder": "pictures"}
    )


@pytest.mark.parametrize("page_size", [1, 3, 10, 1000])
def test_the_size_of_a_page_changes_nothing(world: World, page_size: int) -> None:
    world.add(range(10))
    world.embed([0, 2, 4, 6, 8])
    world.remove(8)
    report, gaps = measured(world, page_size=page_size)
    assert report.totals == {"embedded": 4, "stale": 0, "failed": 0, "missing": 5}
    assert sorted(gap.key for gap in gaps) == ["1", "3", "5", "7", "8", "9"]


def test_points_that_the_console_did_not_write_count_as_embedded_and_never_as_stale(world: World) -> None:
    world.add([1, 2])
    world.write([(1, None)])
    world.change(1)
    report, gaps = measured(world)
    assert report.totals == {"embedded": 1, "stale": 0, "failed": 0, "missing": 1}
    assert [gap.key for gap in gaps] == ["2"]


def test_a_foreign_point_without_a_row_is_orphaned_by_its_id(world: World) -> None:
    world.add([1])
    world.write([(1, None), (99, None), ("6f1a4c1e-52c9-4c0b-9f3f-2a6f0d7c4b11", None)])
    report, gaps = measured(world)
    assert report.orphaned == 2
    assert {gap.key for gap in gaps} == {"99", "6f1a4c1e-52c9-4c0b-9f3f-2a6f0d7c4b11"}


def test_what_a_point_does_not_say_does_not_make_it_stale(world: World) -> None:
    world.add([1, 2])
    world.write([(1, replace(ORIGIN, key="1")), (2, replace(ORIGIN, key="2", fingerprint=""))])
    assert measured(world)[0].totals["embedded"] == 2


def test_a_point_of_another_picture_under_its_id_does_not_cover_a_row(world: World) -> None:
    world.add([1, 2])
    world.write([(1, replace(ORIGIN, key="2"))])
    _, gaps = measured(world)
    assert [(gap.key, gap.status) for gap in gaps] == [("1", Status.MISSING), ("2", Status.MISSING)]
    assert "picture 2" in gaps[0].detail


def test_a_collection_without_a_recorded_model_has_no_point_of_another_model(world: World) -> None:
    world.store.create("plain", CollectionSpec(dimension=4))
    world.add([1])
    steps = list(measure(world.catalog, world.store, "plain", world.ledger.failed_among))
    report = steps[-1].report
    assert report is not None
    assert (report.model, report.fingerprint, report.totals["missing"]) == ("", "", 1)


def test_a_failure_in_another_collection_or_of_a_picture_with_a_point_is_not_a_failure_here(world: World) -> None:
    world.add([1, 2])
    world.embed([1])
    world.fail(1)
    world.fail(2, into="another")
    assert measured(world)[0].totals == {"embedded": 1, "stale": 0, "failed": 0, "missing": 1}


def test_rows_are_counted_by_every_facet_and_a_null_is_the_empty_value(world: World) -> None:
    world.add([1, 2], user=1)
    world.add([3], user=None)
    world.add([4], user=2, kind="logo")
    world.embed([1, 4])
    report, gaps = measured(world)
    none = {"embedded": 0, "stale": 0, "failed": 0, "missing": 0}
    assert report.facets["user_id"] == {
        "1": {**none, "embedded": 1, "missing": 1},
        "": {**none, "missing": 1},
        "2": {**none, "embedded": 1},
    }
    assert report.facets["image_type"]["photo"] == {**none, "embedded": 1, "missing": 2}
    assert gaps[1].facets == {"user_id": "", "image_type": "photo", "folder": "pictures"}


def test_pictures_in_folders_are_counted_by_folder(world: World, tmp_path: Path) -> None:
    for name in ("cats/a.png", "cats/b.png", "dogs/big/c.png", "d.png"):
        file = tmp_path / "pictures" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(file)
    catalog = FolderCatalog(tmp_path / "pictures")
    world.write([(point_id("cats/a.png"), replace(ORIGIN, key="cats/a.png"))])
    report = list(measure(catalog, world.store, COLLECTION, world.ledger.failed_among))[-1].report
    assert report is not None
    assert {value: (found["embedded"], found["missing"]) for value, found in report.facets["folder"].items()} == {
        "cats": (1, 1),
        "dogs/big": (0, 1),
        "": (0, 1),
    }
    assert report.orphaned == 0


def test_beyond_the_commonest_values_a_facet_counts_the_rest_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facets_module, "MOST_VALUES", 2)
    for user in range(1, 6):
        world.add(range(100 * user, 100 * user + 10 - user), user=user)
    report, gaps = measured(world)
    assert {value: sum(counts.values()) for value, counts in report.facets["user_id"].items()} == {
        "1": 9,
        "2": 8,
        OTHER: 7 + 6 + 5,
    }
    assert sum(gap.facets["user_id"] == OTHER for gap in gaps) == 18
    sliced, _ = measured(world, Slice({"user_id": ("5",)}))
    assert set(sliced.facets["user_id"]) == {"5"}


def test_a_slice_is_measured_alone_and_looks_for_no_orphans(world: World) -> None:
    world.add([1, 2, 3], user=1)
    world.add([4, 5], user=2)
    world.embed([1, 2, 3, 4, 5])
    world.remove(5)
    report, gaps = measured(world, Slice({"user_id": ("2",)}))
    assert (report.total, report.orphaned, gaps) == (1, None, [])
    assert measured(world, Slice(keys=("1", "4", "77")))[0].total == 2


def test_an_alias_is_measured_under_the_name_of_its_collection(world: World) -> None:
    world.add([1])
    world.store.set_alias("images", COLLECTION, expected=None)
    steps = list(measure(world.catalog, world.store, "images", world.ledger.failed_among))
    assert steps[-1].report is not None
    assert steps[-1].report.collection == COLLECTION
    assert steps[-1].report.model == "demo-clip"


def test_an_empty_catalog_beside_an_empty_collection_is_not_called_covered(world: World) -> None:
    report, gaps = measured(world)
    assert (report.total, report.orphaned, report.coverage, gaps) == (0, 0, 0.0, [])


def test_a_collection_that_does_not_exist_is_said_to_be_missing(world: World) -> None:
    with pytest.raises(CollectionNotFound):
        next(measure(world.catalog, world.store, "vanished", world.ledger.failed_among))


def test_a_collection_restamped_with_another_model_is_stale_as_a_whole(world: World) -> None:
    world.add([1, 2])
    world.embed([1, 2])
    world.store.stamp(COLLECTION, ModelStamp("demo-clip", "f2"))
    assert measured(world)[0].stale == {"changed": 0, "other model": 2}


def test_memory_does_not_grow_with_the_catalog(world: World) -> None:
    def peak() -> int:
        tracemalloc.start()
        for number, _ in enumerate(
            measure(world.catalog, world.store, COLLECTION, world.ledger.failed_among, page_size=50)
        ):
            if number % 10 == 0:
                gc.collect()  # in a process with much in memory the collector waits long by itself
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    world.add(range(200))
    peak()
    small = peak()
    world.add(range(200, 6000))
    assert peak() < small + 300_000


def test_a_catalog_without_folders_is_counted_by_those_of_its_paths() -> None:
    rows = [
        ImageRow(str(number), (f"{'ab'[number % 2]}/2026/{number}.jpg",), {"user_id": "1"}, "r") for number in range(10)
    ]

    class Listed:
        def info(self) -> CatalogInfo:
            return CatalogInfo("sql", "somewhere", ("user_id",), {})

        def facets(self) -> dict[str, dict[str, int]]:
            return {"user_id": {"1": 10}}

    counts = FacetCounts(cast(ImageCatalog, Listed()), EVERYTHING)
    for row in rows:
        counts.add(counts.values(row), Status.MISSING)
    counted = counts.counts()
    assert {folder: statuses["missing"] for folder, statuses in counted["folder"].items()} == {"a/2026": 5, "b/2026": 5}
    assert counted["user_id"]["1"]["missing"] == 10
