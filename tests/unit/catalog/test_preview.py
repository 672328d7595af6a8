"""What is at a location is shown before it is configured, with a proposal of what its columns mean."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from console_core.catalog.guessing import Proposal
from console_core.catalog.opening import open_catalog
from console_core.catalog.preview import preview
from console_core.cli.app import app
from console_core.errors import CatalogError, CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings
from tests.postgres import Postgres

GUIDE_C = """CREATE TABLE media (
    id INTEGER PRIMARY KEY, user_id INTEGER, compressed_path TEXT, original_path TEXT, file_path TEXT, caption TEXT,
    embedding BLOB, embedding_model TEXT, created_at DATETIME, updated_at DATETIME
)"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection, connection:
        connection.execute(GUIDE_C)
        connection.executemany(
            "INSERT INTO media VALUES (?, ?, ?, ?, ?, ?, ?, NULL, '2024-05-06 07:08:09', '2024-05-06 07:08:09')",
            [
                (n, n % 3, None if n % 2 else f"s/{n}.jpg", f"l/{n}.JPG", f"/{n}.png", f"a {n}", b"\0" * 2048)
                for n in range(30)
            ],
        )
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
        connection.execute("CREATE VIEW public AS SELECT original_path AS path, id * 10 AS number FROM media")
        connection.execute(
            "CREATE TABLE chunks (document TEXT NOT NULL, page INT NOT NULL, image_path TEXT, "
            "PRIMARY KEY (document, page))"
        )
        connection.execute("INSERT INTO chunks VALUES ('a', 1, 'a/1.webp')")
    return tmp_path / "app.db"


def test_a_database_shows_its_tables_and_views(database: Path) -> None:
    seen = preview("sql", f"sqlite:///{database}")
    assert [(one.name, one.kind, one.columns) for one in seen.tables] == [
        *[("chunks", "table", 3), ("media", "table", 10), ("public", "view", 2), ("users", "table", 2)]
    ]
    assert (seen.columns, seen.rows, seen.proposal) == ((), (), None)


def test_a_view_whose_table_was_dropped_hides_no_other(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE VIEW broken AS SELECT * FROM gone")
    assert "broken" not in [one.name for one in preview("sql", f"sqlite:///{database}").tables]


def test_a_table_shows_its_columns_first_rows_and_what_they_probably_mean(database: Path) -> None:
    seen = preview("sql", f"sqlite:///{database}", "media")
    keys = {column.name: (column.key, column.why) for column in seen.columns}
    assert keys["id"] == ("yes", "")
    assert keys["user_id"] == ("no", "It has a value twice.")
    assert keys["compressed_path"] == ("no", "It is empty in some rows.")
    assert keys["original_path"] == ("no", "The database does not keep it from having a value twice.")
    assert keys["embedding"] == ("no", "It does not hold whole numbers, text or UUIDs.")
    assert len(seen.rows) == 10
    assert seen.rows[1][:7] == ("1", "1", "", "l/1.JPG", "/1.png", "a 1", "(bytes)")
    paths = ("compressed_path", "original_path", "file_path")
    assert seen.proposal == Proposal(("id",), paths, updated_at="updated_at", tenant="user_id")


def test_what_is_proposed_is_a_catalog_that_can_be_opened(database: Path) -> None:
    for table, pictures in (("media", 30), ("public", 30), ("chunks", 1)):
        guessed = preview("sql", f"sqlite:///{database}", table).proposal
        assert guessed is not None
        settings = CatalogSettings(
            *("sql", f"sqlite:///{database}", table, guessed.key, guessed.paths),
            updated_at=guessed.updated_at,
            tenant=guessed.tenant,
        )
        with closing(open_catalog(settings)) as catalog:
            assert catalog.count() == len([row for row in catalog.rows() if row.candidates]) == pictures


def test_a_primary_key_of_several_columns_is_proposed_as_a_whole(database: Path) -> None:
    seen = preview("sql", f"sqlite:///{database}", "chunks")
    assert seen.proposal == Proposal(("document", "page"), ("image_path",))


def test_a_view_has_columns_that_can_perhaps_be_the_key(database: Path) -> None:
    seen = preview("sql", f"sqlite:///{database}", "public")
    assert [(column.name, column.key) for column in seen.columns] == [("path", "perhaps"), ("number", "perhaps")]


def test_a_table_on_postgresql_with_a_uuid_bytes_and_a_vector(postgres: Postgres) -> None:
    with postgres.database("preview") as name:
        postgres.execute("CREATE EXTENSION vector", name)
        postgres.execute(
            "CREATE TABLE assets (asset_id uuid PRIMARY KEY, tenant text, url text, thumb bytea, embedding vector(3), "
            "modified timestamptz); CREATE MATERIALIZED VIEW shown AS SELECT asset_id, url FROM assets; "
            'CREATE SCHEMA other; CREATE TABLE other."t.1" (a int); '
            "INSERT INTO assets SELECT gen_random_uuid(), 't', 'https://cdn/x/' || n, '\\x00', '[1,2,3]', now() "
            "FROM generate_series(1, 5) n",
            name,
        )
        location = postgres.url(name).replace("postgresql://", "postgresql+psycopg://")
        assert [(one.name, one.kind, one.columns) for one in preview("sql", location).tables] == [
            *[("assets", "table", 6), ("other.t.1", "table", 1), ("shown", "view", 2)]
        ]
        seen = preview("sql", location, "assets")
    assert seen.proposal == Proposal(("asset_id",), ("url",), updated_at="modified", tenant="tenant")
    assert {column.name: column.type for column in seen.columns}["asset_id"] == "uuid"
    assert seen.rows[0][1:4] == ("t", "https://cdn/x/1", "(bytes)")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_shows_the_same(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"images.{ending}"
    if ending == "csv":
        file.write_text("owner_id;file;sha;note\n7;a/b.jpeg;x1;\n7;c.png;x2;y\n")
    else:
        pq.write_table(pa.table({"owner_id": [7, 7], "file": ["a/b.jpeg", "c.png"], "sha": ["x1", "x2"]}), file)
    seen = preview("table", str(file))
    assert [column.key for column in seen.columns][:3] == ["no", "perhaps", "perhaps"]
    assert seen.rows[0][:3] == ("7", "a/b.jpeg", "x1")
    assert seen.proposal == Proposal(("file",), ("file",), tenant="owner_id")
    assert seen.columns[0].type == ("varchar" if ending == "csv" else "bigint")


def test_a_file_that_looks_like_an_image_list_is_called_one(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("cats/1.jpg,cat\ndogs/2.jpg,dog\n")
    (remark,) = (one for one in preview("table", str(tmp_path / "list.csv")).remarks if "image list" in one)
    assert 'kind = "list"' in remark


def test_columns_with_the_same_name_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,path,note,note\n1,a.jpg,x,y\n")
    seen = preview("table", str(tmp_path / "a.csv"))
    assert [column.name for column in seen.columns] == ["id", "path"]
    assert any("note" in remark for remark in seen.remarks)


def test_a_folder_and_a_list_show_their_pictures(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "a.jpg").touch()
    (tmp_path / "list.txt").write_text("cats/a.jpg,cat\ncats/a.jpg,cat\n")
    for kind, location in (("folder", tmp_path), ("list", tmp_path / "list.txt")):
        seen = preview(kind, str(location))  # type: ignore[arg-type]
        assert "cats/a.jpg" in seen.rows[0]
        assert "It has 1 pictures." in seen.remarks
    assert "Repeated lines left out: 1 (line 2)." in seen.remarks


def test_long_values_are_shown_in_part(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"id,path\n1,{'x' * 500}\n")
    assert len(preview("table", str(tmp_path / "a.csv")).rows[0][1]) == 80


@pytest.mark.parametrize(
    ("kind", "location", "table", "expected"),
    [
        ("sql", "not a url", "", CatalogInvalid),
        ("sql", "sqlite:////nowhere/app.db", "", CatalogUnavailable),
        ("sql", "postgresql+psycopg://u:topsecret@127.0.0.1:1/x", "", CatalogUnavailable),
        ("table", "/nowhere/a.csv", "", CatalogUnavailable),
        ("folder", "/nowhere", "", CatalogUnavailable),
    ],
)
def test_what_cannot_be_looked_at_is_told_in_words(
    kind: Any, location: str, table: str, expected: type[CatalogError]
) -> None:
    with pytest.raises(expected) as raised:
        preview(kind, location, table)
    assert raised.value.remedy
    assert "topsecret" not in str(raised.value)


def asked(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["catalog", "preview", *words])
    return result.exit_code, result.output


def test_the_command_proposes_lines_for_the_configuration(database: Path) -> None:
    code, said = asked(f"sqlite:///{database}", "--table", "media")
    assert code == 0
    assert 'paths = ["compressed_path", "original_path", "file_path"]' in said
    assert 'tenant = "user_id"' in said
    assert "id  integer  can be the key" in said
    code, said = asked(f"sqlite:///{database}")
    assert "chunks  table, 3 columns" in said


def test_the_command_tells_a_program_the_same(database: Path) -> None:
    code, said = asked(f"sqlite:///{database}", "--table", "chunks", "--json")
    found = json.loads(said)
    assert (code, found["proposal"]["key"], found["table"]) == (0, ["document", "page"], "chunks")
    assert found["columns"][0] == {
        **{"name": "document", "type": "text", "key": "no"},
        "why": "The database does not keep it from having a value twice.",
    }


def test_the_command_says_what_is_wrong_and_what_to_do(database: Path) -> None:
    code, said = asked(f"sqlite:///{database}", "--table", "pictures")
    assert code == 1
    assert "no table or view pictures" in said
    assert "It has: chunks, media, public, users." in said
