"""The vectors of an application's table beside those of a collection, row by row."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from console_core.catalog.embedding_column import EmbeddingColumn, Held
from console_core.catalog.types import EVERYTHING, Slice
from console_core.coverage.column import ColumnReport, Mismatch, mismatch
from console_core.coverage.measure import measure
from console_core.coverage.report import CoverageReport
from console_core.coverage.stats import stats
from console_core.settings import CatalogSettings
from console_core.vectorstore.types import CollectionSpec, Point, PointId, Vector
from tests.unit.coverage.conftest import COLLECTION, World

UNIT = np.array([0.6, 0.8, 0, 0], np.float32)


def _held(vector: "Vector | None" = UNIT, model: str = "m", problem: str = "") -> Held:
    return Held("1", model, vector, problem)


@pytest.mark.parametrize(
    ("held", "wrong"),
    [
        (_held(), None),
        (_held(np.nextafter(UNIT, np.float32(2))), None),
        (_held(None, ""), Mismatch.ABSENT),
        (_held(None), Mismatch.ABSENT),
        (_held(None, problem="It holds 13 bytes."), Mismatch.BROKEN),
        (_held(model="old"), Mismatch.MODEL),
        (_held(UNIT[:2], "old"), Mismatch.MODEL),
        (_held(UNIT[:2]), Mismatch.LENGTH),
        (_held(UNIT * 7), Mismatch.NUMBERS),
        (_held(UNIT.astype(np.float16).astype(np.float32)), Mismatch.NUMBERS),
        (_held(UNIT[::-1].copy()), Mismatch.VECTOR),
        (_held(-UNIT), Mismatch.VECTOR),
        (_held(np.zeros(4, np.float32)), Mismatch.VECTOR),
        (_held(np.array([np.nan, 0.8, 0, 0], np.float32)), Mismatch.VECTOR),
        (_held(np.array([np.inf, 0.8, 0, 0], np.float32)), Mismatch.VECTOR),
    ],
)
def test_a_row_is_out_of_step_for_the_first_reason_that_is_true(held: Held, wrong: Mismatch | None) -> None:
    assert mismatch(held, UNIT, "m") is wrong


@pytest.fixture
def column(world: World) -> Iterator[EmbeddingColumn]:
    with closing(sqlite3.connect(world.file)) as application, application:
        application.execute("ALTER TABLE images ADD vector BLOB")
        application.execute("ALTER TABLE images ADD made_by TEXT")
    settings = CatalogSettings(
        "sql", f"sqlite:///{world.file}", "images", paths=("path",), embedding="vector", embedding_model="made_by"
    )
    with closing(EmbeddingColumn(settings)) as opened:
        yield opened


def _add(world: World, keys: range) -> None:
    with closing(sqlite3.connect(world.file)) as application, application:
        application.executemany(
            "INSERT INTO images (id, user_id, path) VALUES (?, 1, ?)", [(key, f"{key}.jpg") for key in keys]
        )


def _put(world: World, key: int, vector: Vector, model: str = "demo-clip") -> None:
    with closing(sqlite3.connect(world.file)) as application, application:
        application.execute("UPDATE images SET vector = ?, made_by = ? WHERE id = ?", (vector.tobytes(), model, key))


def _report(world: World, column: EmbeddingColumn | None, part: Slice = EVERYTHING) -> CoverageReport:
    steps = list(
        measure(
            world.catalog, world.store, COLLECTION, world.ledger.failed_among, part=part, page_size=7, column=column
        )
    )
    report = steps[-1].report
    assert report is not None
    return report


def test_rows_are_counted_by_where_they_have_a_vector_and_the_numbers_add_up(
    world: World, column: EmbeddingColumn
) -> None:
    _add(world, range(1, 31))
    world.embed(range(1, 21))  # every point is (1, 0, 0, 0)
    world.embed([20], fingerprint="f0")
    same, strange = np.array([1, 0, 0, 0], np.float32), np.array([0, 1, 0, 0], np.float32)
    for key in (*range(1, 11), 20):
        _put(world, key, same)
    _put(world, 11, strange)
    _put(world, 12, same, "old")
    _put(world, 13, same[:2])
    for key in (21, 22):
        _put(world, key, strange)
    found = _report(world, column).column
    assert found is not None
    assert (found.same, found.completed) == (11, 10), "the point of 20 is another model's, so there is more to do"
    assert (found.only_in_column, found.only_in_store, found.in_neither) == (2, 6, 8)
    assert found.differing == {"another vector": 1, "another model's name": 1, "another length": 1}
    assert found.same + found.only_in_column + found.only_in_store + found.in_neither + found.all_differing == 30
    assert (found.total, found.with_embedding, found.wrong_length) == (30, 14, 1)
    assert found.by_model == {"demo-clip": 15, "old": 1}
    assert found.drifted == 11


def test_a_report_keeps_its_column_and_one_from_before_there_were_columns_has_none(
    world: World, column: EmbeddingColumn
) -> None:
    _add(world, range(1, 4))
    _put(world, 2, UNIT)
    report = _report(world, column)
    assert CoverageReport.from_json(report.as_json()) == report
    assert stats(report)["column"]["only_in_column"] == 1
    older = {name: value for name, value in report.as_json().items() if name != "column"}
    assert CoverageReport.from_json(older) == replace(report, column=None)
    assert "column" not in stats(replace(report, column=None))


def test_only_the_vectors_of_one_page_are_in_memory_and_those_that_need_no_comparison_are_not_asked_for(
    world: World, column: EmbeddingColumn, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(world, range(1, 41))
    world.embed(range(1, 41))
    for key in range(1, 41):
        _put(world, key, np.array([1, 0, 0, 0], np.float32), "demo-clip" if key % 2 else "old")
    rows, vectors = [], []
    at, retrieve = column.at, world.store.retrieve

    def counted_at(keys: Iterable[str]) -> dict[str, Held]:
        rows.append(len(listed := list(keys)))
        return at(listed)

    def counted(name: str, ids: Sequence[PointId], **asked: bool) -> list[Point]:
        if asked.get("vectors"):
            vectors.append(len(ids))
        return retrieve(name, ids, **asked)

    monkeypatch.setattr(column, "at", counted_at)
    monkeypatch.setattr(world.store, "retrieve", counted)
    report = _report(world, column).column
    assert report is not None
    assert (report.same, report.all_differing) == (20, 20)
    assert (max(rows), sum(rows)) == (7, 40)
    assert (max(vectors), sum(vectors)) == (4, 20)


def test_all_but_one_row_is_not_called_all_of_them() -> None:
    assert ColumnReport(30_000, 29_999, 0, {}).stats()["coverage_percentage"] == 99.99
    assert ColumnReport(30_000, 30_000, 0, {}).stats()["coverage_percentage"] == 100
    assert ColumnReport(0, 0, 0, {}).stats()["coverage_percentage"] == 0


def test_a_slice_and_a_collection_that_does_not_say_its_model_are_not_compared(
    world: World, column: EmbeddingColumn
) -> None:
    _add(world, range(1, 4))
    assert _report(world, column, Slice({"user_id": ("1",)})).column is None
    assert _report(world, None).column is None
    world.store.drop(COLLECTION)
    world.store.create(COLLECTION, CollectionSpec(dimension=4))
    assert _report(world, column).column is None
