"""The pictures of a trial come from everywhere in a slice, in bounded time, whatever its keys are."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console_core.catalog.opening import open_catalog
from console_core.catalog.types import ImageCatalog, Slice
from console_core.migration.preflight import spread
from console_core.migration.preflight.spread import spread_rows
from console_core.settings import CatalogSettings

ROWS = 100_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a table of numbered pictures, one of named ones, and one of numbers with a wide gap."""
    file = tmp_path_factory.mktemp("large") / "catalog.db"
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})"
    with closing(sqlite3.connect(file)) as connection:
        for table, key, kind in (
            ("numbered", "i", "INTEGER"),
            ("named", "printf('img-%06d', i)", "TEXT"),
            ("apart", f"CASE WHEN i <= {ROWS // 2} THEN i ELSE i + 1000000000000 END", "INTEGER"),
        ):
            connection.execute(f"CREATE TABLE {table} (id {kind} PRIMARY KEY, place INTEGER, path TEXT, part TEXT)")
            connection.execute(
                f"INSERT INTO {table} {numbers} SELECT {key}, i, i || '.jpg', CASE i % 10 WHEN 3 THEN 'a' ELSE 'b' END "
                "FROM n"
            )
        connection.commit()
    return file


def opened(file: Path, table: str) -> ImageCatalog:
    settings = CatalogSettings(
        kind="sql",
        location=f"sqlite:///{file}",
        table=table,
        key="id",
        paths=("path",),
        payload=("place",),
        facets=("part",),
    )
    return open_catalog(settings)


@pytest.fixture(params=["numbered", "named", "apart"])
def catalog(large: Path, request: pytest.FixtureRequest) -> Iterator[ImageCatalog]:
    found = opened(large, request.param)
    yield found
    found.close()


def places(catalog: ImageCatalog, part: Slice, number: int) -> list[int]:
    rows = spread_rows(catalog, part, number, catalog.count(part))
    assert len({row.key for row in rows}) == len(rows)
    return [int(str(row.payload["place"])) for row in rows]


@pytest.mark.parametrize("part", [Slice(), Slice({"part": ("a",)})], ids=["everything", "a tenth"])
def test_every_eighth_of_the_slice_is_in_it_and_in_the_first_half_of_it_too(
    catalog: ImageCatalog, part: Slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "PATIENCE", 600.0)
    found = places(catalog, part, 64)
    assert 32 <= len(found) <= 64
    for some in (found, found[: len(found) // 2]):
        assert {(place - 1) * 8 // ROWS for place in some} == set(range(8))


def test_a_large_slice_of_numbers_is_not_read_as_a_whole(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "PATIENCE", 600.0)
    monkeypatch.setattr(spread, "_reading", None)  # cannot be called
    with closing(opened(large, "numbered")) as catalog:
        assert len(places(catalog, Slice(), 64)) == 64


def test_where_patience_ends_what_was_reached_is_spread(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "PATIENCE", 0.0)
    with closing(opened(large, "named")) as catalog:
        found = places(catalog, Slice(), 64)
    assert found
    assert max(found) <= 1000


@pytest.mark.parametrize("number", [1, 2, 3, 63, 64, 65, 129])
def test_a_small_slice_is_taken_whole_and_a_larger_one_to_the_number(large: Path, number: int) -> None:
    with closing(opened(large, "numbered")) as catalog:
        part = Slice(keys=tuple(str(1 + 7 * place) for place in range(number)))
        assert len(places(catalog, part, 64)) == min(number, 64)
        assert places(catalog, Slice(keys=()), 64) == []
