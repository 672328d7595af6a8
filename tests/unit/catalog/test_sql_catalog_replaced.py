"""An SQLite catalog whose file is deleted or replaced while the console has it open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console_core.catalog.sql import SqlCatalog
from console_core.errors import CatalogUnavailable
from console_core.settings import CatalogSettings


def write(file: Path, rows: int) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT)")
        connection.executemany("INSERT INTO images VALUES (?, ?)", [(n, f"{n}.jpg") for n in range(rows)])


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    write(tmp_path / "app.db", 3)
    location = f"sqlite:///{tmp_path / 'app.db'}"
    opened = SqlCatalog(CatalogSettings(kind="sql", location=location, table="images", paths=("path",)))
    yield opened
    opened.close()


def test_a_file_that_a_newer_one_replaced_is_read_anew(catalog: SqlCatalog, tmp_path: Path) -> None:
    assert catalog.count() == 3
    write(tmp_path / "newer.db", 5)
    (tmp_path / "newer.db").replace(tmp_path / "app.db")
    assert catalog.count() == 5
    assert len(list(catalog.rows())) == 5


def test_a_file_that_vanished_is_no_catalog_any_more(catalog: SqlCatalog, tmp_path: Path) -> None:
    assert catalog.count() == 3
    (tmp_path / "app.db").unlink()
    with pytest.raises(CatalogUnavailable, match=r"app\.db") as failure:
        catalog.count()
    assert failure.value.remedy
