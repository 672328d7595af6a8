"""What every catalog keeps, whatever it is made of."""

import csv
import json
import sqlite3
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from console_core.catalog.intake import Intake, Places
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.joined import JoinedCatalog
from console_core.catalog.opening import open_catalog
from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import ImageCatalog, Slice
from console_core.console.listed_points import StorePoints
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogKind, CatalogSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Point
from tests.postgres import Postgres

TOTAL = 3456
"""More than three pages."""


def _name(number: int) -> str:
    kind = ("cats", "dogs", "")[number % 3]
    return f"{kind}/{number:05}.{'png' if number % 5 == 0 else 'jpg'}".removeprefix("/")


def _database(folder: Path, key_type: str, keys: Sequence[int | str]) -> str:
    file = folder / "app.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            f"CREATE TABLE images (id {key_type} PRIMARY KEY NOT NULL, path TEXT, folder TEXT, extension TEXT)"
        )
        connection.executemany(
            "INSERT INTO images VALUES (?, ?, ?, ?)", [_record(key, place) for place, key in enumerate(keys)]
        )
    connection.close()
    return f"sqlite:///{file}"


def _record(key: Any, number: int) -> tuple[Any, str, str | None, str]:
    folder, _, name = _name(number).rpartition("/")
    return key, _name(number), folder or None, name.rpartition(".")[2]


def _sql(location: str, kind: CatalogKind = "sql", **otherwise: Any) -> CatalogSettings:
    return CatalogSettings(
        kind=kind,
        location=location,
        table="images",
        paths=("path",),
        payload=("folder",),
        facets=("folder", "extension"),
        **otherwise,
    )


def _integer_keys() -> list[int]:
    return [7 * number - 500 for number in range(TOTAL)]


def _text_keys() -> list[str]:
    return [f"é{number * 7919 % TOTAL}-Z" for number in range(TOTAL)]


def _tenant_and_number(number: int) -> tuple[str, int]:
    return ("acme", 'say "hi"', "[1,2]", "ß, 100%", "")[number % 5], number * 7919 % TOTAL - 1000


def _uuid_key(number: int) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_OID, str(number))


def _integers(folder: Path) -> CatalogSettings:
    return _sql(_database(folder, "INTEGER", _integer_keys()))


def _texts(folder: Path) -> CatalogSettings:
    return _sql(_database(folder, "TEXT", _text_keys()))


def _composite(folder: Path) -> CatalogSettings:
    file = folder / "app.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "CREATE TABLE images (tenant TEXT NOT NULL, number INT NOT NULL, path TEXT, folder TEXT, extension TEXT, "
            "PRIMARY KEY (tenant, number))"
        )
        records = [(*_tenant_and_number(number), *_record(0, number)[1:]) for number in range(TOTAL)]
        connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", records)
    return _sql(f"sqlite:///{file}", key=("tenant", "number"))


def _postgres(
    server: Postgres, opened: ExitStack, keys: dict[str, str], values: Callable[[int], tuple[Any, ...]]
) -> str:
    """The URL of a database with a table of these key columns by type."""
    name = opened.enter_context(server.database(f"catalog_{uuid.uuid4().hex[:8]}"))
    names = (*keys, "path", "folder", "extension")
    columns = ", ".join(f"{column} {kind} NOT NULL" for column, kind in keys.items())
    server.execute(
        f"CREATE TABLE images ({columns}, path text, folder text, extension text, PRIMARY KEY ({', '.join(keys)}))",
        name,
    )
    statement = f"COPY images ({', '.join(names)}) FROM STDIN".encode()
    with server.connect(name) as connection, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for number in range(TOTAL):
            copy.write_row((*values(number), *_record(0, number)[1:]))
    return server.url(name).replace("postgresql://", "postgresql+psycopg://")


def _on_postgres(server: Postgres, opened: ExitStack) -> CatalogSettings:
    values = lambda number: (_uuid_key(number), *_tenant_and_number(number % 1000))  # noqa: E731
    keys = {"batch": "uuid", "tenant": "text", "number": "int"}
    return _sql(_postgres(server, opened, keys, values), key=("tenant", "number", "batch"))


def _uuids_on_postgres(server: Postgres, opened: ExitStack) -> CatalogSettings:
    return _sql(_postgres(server, opened, {"id": "uuid"}, lambda number: (_uuid_key(number),)))


def _folder(folder: Path) -> CatalogSettings:
    for number in range(TOTAL):
        file = folder / _name(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return CatalogSettings(kind="folder", location=str(folder))


def _list(folder: Path) -> CatalogSettings:
    file = folder / "images.csv"
    file.write_text("# a list\n" + "".join(f"{_name(number)},label {number % 4}\n" for number in range(TOTAL)))
    return CatalogSettings(kind="list", location=str(file))


def _ingested(folder: Path) -> ImageCatalog:
    """A folder and a list that share pictures."""
    _folder(folder)
    file = folder / "images.csv"
    file.write_text("".join(f"./{_name(number)},label {number % 4}\n" for number in range(0, TOTAL, 3)))
    return IntakeCatalog(
        [Intake("n", "list", str(file)), Intake("n", "folder", str(folder))], Places((folder,), folder)
    )


def _joined(folder: Path) -> ImageCatalog:
    """The first pictures in a folder of the workspace's, the others ingested beside it."""
    _folder(folder / "b")
    for number in range(TOTAL // 2):
        file = folder / "a" / _name(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        (folder / "b" / _name(number)).rename(file)
    ingested = IntakeCatalog([Intake("n", "folder", str(folder / "b"))], Places((folder / "b",), folder))
    return JoinedCatalog(open_catalog(CatalogSettings(kind="folder", location=str(folder / "a"))), ingested)


def _csv(folder: Path) -> CatalogSettings:
    file = folder / "images.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("extension", "id", "path", "folder", "note"))
        for number, key in enumerate(_text_keys()):
            _, path, inside, extension = _record(key, number)
            writer.writerow((extension, key, path, inside or "", 'a "note",\nof two lines'))
    return _sql(str(file), "table")


def _parquet(folder: Path) -> CatalogSettings:
    file = folder / "images.parquet"
    records = [_record(key, number) for number, key in enumerate(reversed(_integer_keys()))]
    columns = zip(("id", "path", "folder", "extension"), zip(*records, strict=True), strict=True)
    pq.write_table(pa.table({name: list(values) for name, values in columns}), file, row_group_size=1000)
    return _sql(str(file), "table")


def _points() -> Iterator[Point]:
    """Half of them have numbers, half have UUIDs."""
    for number in range(TOTAL):
        identifier = number * 3 if number % 2 else str(_uuid_key(number))
        _, path, inside, extension = _record(identifier, number)
        payload = {"path": path, "folder": inside, "extension": extension, "tags": [number, {"a": None}]}
        yield Point(identifier, np.ones(2, dtype=np.float32), payload)


CATALOGS: dict[str, Callable[..., CatalogSettings]] = {
    "sql-integer": _integers,
    "sql-text": _texts,
    "sql-composite": _composite,
    "postgres-uuid": _uuids_on_postgres,
    "postgres-composite": _on_postgres,
    "folder": _folder,
    "list": _list,
    "csv": _csv,
    "parquet": _parquet,
}


INTAKES: dict[str, Callable[[Path], ImageCatalog]] = {"ingested": _ingested, "joined": _joined}


@pytest.fixture(scope="module", params=[*CATALOGS, *INTAKES, "collection"])
def catalog(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageCatalog]:
    folder = tmp_path_factory.mktemp("catalog")
    with ExitStack() as opened:
        if request.param == "collection":
            store = open_store(StoreSettings(f"local:{folder / 'qdrant'}"))
            opened.callback(store.close)
            store.create("pictures", CollectionSpec(2))
            store.upsert("pictures", list(_points()))
            store.set_alias("images", "pictures", expected=None)
            catalog = open_catalog(_sql("images", "collection"), points=StorePoints(store))
        elif request.param in INTAKES:
            catalog = INTAKES[request.param](folder)
        elif request.param.startswith("postgres"):
            settings = CATALOGS[request.param](request.getfixturevalue("postgres"), opened)
            catalog = open_catalog(settings)
        else:
            catalog = open_catalog(CATALOGS[request.param](folder), cache=folder / ".cache")
        opened.callback(catalog.close)
        yield catalog


@pytest.fixture(scope="module")
def keys(catalog: ImageCatalog) -> list[str]:
    return [row.key for row in catalog.rows()]


def test_one_pass_gives_every_picture_once(keys: list[str]) -> None:
    assert len(keys) == len(set(keys)) == TOTAL


def _place(key: str) -> tuple[Any, ...]:
    """Numbers by their value, before all text; keys of several columns by these."""
    if key.startswith("["):
        return tuple(json.loads(key))
    return (0, int(key)) if key.lstrip("-").isdigit() else (1, key)


def test_keys_ascend(keys: list[str]) -> None:
    assert all(_place(one) < _place(other) for one, other in pairwise(keys))


@pytest.mark.parametrize("place", [0, 998, 999, 1000, 1999, 3001, TOTAL - 2, TOTAL - 1])
def test_a_pass_behind_a_key_is_the_rest_without_that_key(catalog: ImageCatalog, keys: list[str], place: int) -> None:
    assert [row.key for row in catalog.rows(after=keys[place])] == keys[place + 1 :]
    assert catalog.count(after=keys[place]) == TOTAL - place - 1


def test_a_pass_that_stops_and_resumes_again_and_again_equals_one_pass(catalog: ImageCatalog, keys: list[str]) -> None:
    seen: list[str] = []
    while some := [row.key for row in islice(catalog.rows(after=seen[-1] if seen else None), 700)]:
        seen += some
    assert seen == keys


def test_the_count_is_the_number_of_rows(catalog: ImageCatalog) -> None:
    assert catalog.count() == TOTAL


@pytest.mark.parametrize(
    "filters",
    [
        {"folder": ("cats",)},
        {"folder": ("cats", "dogs")},
        {"folder": ("",)},
        {"folder": ("", "dogs"), "extension": ("png",)},
        {"folder": ("no such folder",)},
        {"extension": ()},
    ],
    ids=str,
)
def test_a_slice_keeps_the_rows_whose_facets_have_the_values(
    catalog: ImageCatalog, keys: list[str], filters: dict[str, tuple[str, ...]]
) -> None:
    def is_wanted(number: int) -> bool:
        folder, _, name = _name(number).rpartition("/")
        values = {"folder": folder, "extension": name.rpartition(".")[2]}
        return all(values[facet] in allowed for facet, allowed in filters.items())

    part = Slice(filters)
    rows = list(catalog.rows(part))
    assert len(rows) == catalog.count(part) == sum(map(is_wanted, range(TOTAL)))
    found = {row.key for row in rows}
    assert [row.key for row in rows] == [key for key in keys if key in found]
    for row in rows:
        folder, _, _ = row.candidates[0].rpartition("/")
        allowed = filters.get("folder", (folder,))
        assert any(folder.endswith(value) for value in allowed)


def test_a_slice_of_keys_gives_those_that_exist_in_order(catalog: ImageCatalog, keys: list[str]) -> None:
    chosen = keys[::3]
    part = Slice(keys=(*reversed(chosen), "no such key", "18446744073709551616", "\0", "\ud800", chosen[0]))
    assert [row.key for row in catalog.rows(part)] == chosen
    assert catalog.count(part) == len(chosen)
    assert [row.key for row in catalog.rows(part, after=chosen[600])] == chosen[601:]
    assert catalog.count(part, after=chosen[600]) == len(chosen) - 601


def test_a_slice_of_no_keys_is_empty(catalog: ImageCatalog) -> None:
    assert list(catalog.rows(Slice(keys=()))) == []
    assert catalog.count(Slice(keys=())) == 0


def test_a_slice_of_keys_can_be_filtered_too(catalog: ImageCatalog, keys: list[str]) -> None:
    part = Slice({"folder": ("cats",)}, keys=tuple(keys[:900]))
    cats = {row.key for row in catalog.rows(Slice({"folder": ("cats",)}))}
    assert [row.key for row in catalog.rows(part)] == [key for key in keys[:900] if key in cats]


def test_a_facet_that_the_catalog_does_not_have_is_refused_by_name(catalog: ImageCatalog) -> None:
    with pytest.raises(CatalogInvalid, match=r"'colour'.*folder, extension"):
        list(catalog.rows(Slice({"colour": ("red",)})))
    with pytest.raises(CatalogInvalid, match="colour"):
        catalog.count(Slice({"colour": ("red",)}))


def test_rows_by_key_come_in_the_order_asked_for_and_unknown_keys_are_left_out(
    catalog: ImageCatalog, keys: list[str]
) -> None:
    asked = [keys[9], "no such key", keys[2], keys[-1], "007", keys[9]]
    assert [row.key for row in catalog.get(asked)] == [keys[9], keys[2], keys[-1], keys[9]]
    assert [row.key for row in catalog.get(list(reversed(keys)))] == list(reversed(keys))
    assert catalog.get([]) == []


def test_a_row_is_the_same_however_it_is_read(catalog: ImageCatalog, keys: list[str]) -> None:
    passed = {row.key: row for row in catalog.rows()}
    assert catalog.get(keys[:20]) == [passed[key] for key in keys[:20]]
    assert list(catalog.rows(Slice(keys=tuple(keys[5:9])))) == [passed[key] for key in keys[5:9]]


def test_the_numbers_of_a_facet_add_up_and_are_what_a_slice_gives(catalog: ImageCatalog) -> None:
    facets = catalog.facets()
    assert tuple(facets) == catalog.info().facets
    for name, values in facets.items():
        assert sum(values.values()) == TOTAL
        assert list(values.values()) == sorted(values.values(), reverse=True)
        for value, rows in values.items():
            assert catalog.count(Slice({name: (value,)})) == rows


def test_a_row_tells_the_facet_values_that_it_is_counted_under(catalog: ImageCatalog) -> None:
    counted: dict[str, Counter[str]] = {name: Counter() for name in catalog.info().facets}
    for row in catalog.rows():
        for name, value in row.facets.items():
            counted[name][value] += 1
    assert counted == catalog.facets()


def test_four_threads_read_the_same_at_once(catalog: ImageCatalog, keys: list[str]) -> None:
    def read(_: int) -> tuple[list[str], int, int]:
        return [row.key for row in catalog.rows()], catalog.count(), len(catalog.get(keys[:700]))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read, range(4))) == [(keys, TOTAL, 700)] * 4


def test_rows_that_are_changed_and_added_during_a_pass_cost_no_other_row(tmp_path: Path) -> None:
    catalog = SqlCatalog(_integers(tmp_path))
    writer = sqlite3.connect(tmp_path / "app.db")
    before = [row.key for row in catalog.rows()]
    seen: list[str] = []
    for number, row in enumerate(catalog.rows()):
        seen.append(row.key)
        if number % 500 == 0:
            with writer:
                writer.execute("UPDATE images SET folder = 'done' WHERE id <= ?", (int(row.key),))
                writer.execute("INSERT INTO images VALUES (?, 'new.jpg', NULL, 'jpg')", (int(row.key) + 1,))
                writer.execute("INSERT INTO images VALUES (?, 'new.jpg', NULL, 'jpg')", (1_000_000 + number,))
    writer.close()
    catalog.close()
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)
    assert sum(int(key) >= 1_000_000 for key in seen) == 6, "what was added before the last page was read"
