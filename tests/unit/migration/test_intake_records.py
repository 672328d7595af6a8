"""What was ingested into which collection, as the ledger keeps it."""

from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from console_core.catalog.folder import FolderCatalog
from console_core.catalog.intake import Ingested, Intake, Places
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.intake_members import Members
from console_core.catalog.joined import JoinedCatalog
from console_core.database import Database
from console_core.migration.intakes import Intakes


@pytest.fixture(name="records")
def _records(database: Database) -> Intakes:
    return Intakes(database)


def intake(name: str = "a", namespace: str = "n") -> Intake:
    return Intake(namespace, "folder", f"/pictures/{name}")


def test_the_newest_intake_comes_last_and_each_is_there_once(records: Intakes) -> None:
    for name in ("a", "b", "a"):
        records.add("photos", intake(name), beside=False)
    assert records.of("photos") == [intake("b"), intake("a")]
    assert records.of("others") == []


def test_a_list_an_older_copy_of_it_and_the_same_under_another_namespace_are_different_intakes(
    records: Intakes,
) -> None:
    lists = [Intake(namespace, "list", "/l.csv", copy=copy) for namespace in "nm" for copy in ("/1", "/2")]
    for one in lists:
        records.add("photos", one, beside=False)
    assert records.of("photos") == lists


def test_a_collection_has_the_catalog_of_its_intakes_beside_the_workspaces_only_where_it_was_there_first(
    records: Intakes, tmp_path: Path
) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (8, 8)).save(tmp_path / name / "1.jpg")
    members = Members(Places((tmp_path,), tmp_path))
    workspace, theirs = FolderCatalog(tmp_path / "mine"), Intake("n", "folder", str(tmp_path / "theirs"))
    assert records.catalog("photos", workspace, members) is workspace
    records.add("photos", theirs, beside=False)
    records.add("albums", theirs, beside=True)
    records.add("albums", Intake("m", "folder", str(tmp_path / "theirs")), beside=False)
    own, both = (records.catalog(name, workspace, members) for name in ("photos", "albums"))
    assert isinstance(own, IntakeCatalog)
    assert isinstance(both, JoinedCatalog)
    assert [row.key for row in own.rows()] == ["ingest:n:theirs/1.jpg"]
    assert [row.key for row in both.rows()] == ["1.jpg", "ingest:m:theirs/1.jpg", "ingest:n:theirs/1.jpg"]


def test_what_is_ingested_into_one_collection_of_a_line_belongs_to_all_of_them(records: Intakes) -> None:
    records.add("photos", intake("a"), beside=True)
    for _ in range(2):
        records.share("photos__new", "photos", anew=True)
    records.add("photos", intake("b"), beside=True)
    records.add("photos__new", intake("c"), beside=False)
    assert records.line("photos__new") == ["photos", "photos__new"]
    for name in ("photos", "photos__new"):
        assert records.ingested(name) == Ingested((intake("a"), intake("b"), intake("c")), beside=True)
    records.forget("photos")
    assert records.of("photos") == []
    assert len(records.of("photos__new")) == 3
    records.forget("photos__new")
    records.share("photos__new", "photos", anew=False)
    assert records.of("photos__new") == []


def test_a_line_that_a_migration_began_before_anything_was_ingested_is_beside_the_workspaces_catalog(
    records: Intakes,
) -> None:
    records.share("new", "old", anew=True)
    records.add("new", intake(), beside=False)  # which is still empty
    assert records.ingested("old") == Ingested((intake(),), beside=True)


def test_what_stands_under_the_name_of_a_collection_that_is_gone_is_no_ones_any_more(records: Intakes) -> None:
    records.add("photos__new", intake("former"), beside=False)
    records.share("photos__new", "photos", anew=True)
    assert records.of("photos") == records.of("photos__new") == []


def test_what_was_ingested_into_a_target_that_is_continued_comes_along(records: Intakes) -> None:
    records.add("photos", intake("a"), beside=False)
    records.add("photos__new", intake("b"), beside=False)
    records.share("photos__new", "photos", anew=False)
    assert records.of("photos") == records.of("photos__new") == [intake("a"), intake("b")]
    assert records.alone("photos")
    records.add("beside", intake("c"), beside=True)
    records.share("beside", "photos", anew=False)
    assert not records.alone("photos")


def test_a_copy_of_a_collection_has_what_was_ingested_into_it_and_a_line_of_its_own(records: Intakes) -> None:
    records.add("photos", intake("a"), beside=True)
    records.add("copy", intake("former"), beside=False)
    for _ in range(2):
        records.put_back("copy", records.ingested("photos"))
    records.add("photos", intake("b"), beside=True)
    assert records.ingested("copy") == Ingested((intake("a"),), beside=True)
    assert records.line("copy") == ["copy"]


def test_what_was_ingested_before_there_were_lines_is_kept_by_its_collection(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(Database(url)) as database, database.transaction() as connection:
        for statement in (
            "DROP TABLE IF EXISTS intake_lines",
            "DROP TABLE IF EXISTS intakes",
            "CREATE TABLE intakes (number INTEGER PRIMARY KEY, collection TEXT NOT NULL, beside BOOLEAN NOT NULL, "
            "namespace TEXT NOT NULL, kind TEXT NOT NULL, location TEXT NOT NULL, recursive BOOLEAN NOT NULL, "
            "copy TEXT NOT NULL)",
            "INSERT INTO intakes VALUES (1, 'photos', 1, 'n', 'folder', '/pictures/a', 1, '')",
            "INSERT INTO intakes VALUES (2, 'photos', 1, 'n', 'folder', '/pictures/b', 1, '')",
            "INSERT INTO intakes VALUES (3, 'albums', 0, 'n', 'folder', '/pictures/a', 1, '')",
            "DELETE FROM schema_steps WHERE number > 3",
        ):
            connection.exec_driver_sql(statement)
    for _ in range(2):
        with closing(Database(url)) as database:
            records = Intakes(database)
            assert records.ingested("photos") == Ingested((intake("a"), intake("b")), beside=True)
            assert records.ingested("albums") == Ingested((intake("a"),), beside=False)


def test_a_collection_that_is_renamed_takes_its_intakes_along_and_one_that_is_gone_has_none(records: Intakes) -> None:
    records.add("photos", intake(), beside=False)
    records.share("photos__new", "photos", anew=True)
    records.add("photos__former", intake("of one that is gone"), beside=False)
    for _ in range(2):
        records.rename("photos", "photos__former")
    assert (records.of("photos"), records.of("photos__former")) == ([], [intake()])
    assert records.line("photos__new") == ["photos__former", "photos__new"]
    for _ in range(2):
        records.forget("photos__former")
    assert records.of("photos__former") == []


def test_what_is_forgotten_is_gone_for_all_of_the_line_which_keeps_a_catalog_of_its_own(
    records: Intakes, tmp_path: Path
) -> None:
    for name in "ab":
        records.add("old", intake(name), beside=True)
    records.share("new", "old", anew=True)
    records.remove("new", [intake("a")])
    assert records.ingested("old") == Ingested((intake("b"),), beside=True)
    for _ in range(2):
        records.remove("old", [intake("b")])
    assert records.ingested("new") == Ingested((), beside=True, emptied=True)
    (tmp_path / "1.jpg").write_bytes(b"")
    workspace, members = FolderCatalog(tmp_path), Members(Places((tmp_path,), tmp_path))
    assert isinstance(records.catalog("new", workspace, members), JoinedCatalog)
    assert records.catalog("new", workspace, members).count() == 1
    records.add("photos", intake(), beside=False)
    records.remove("photos", [intake()])
    assert records.alone("photos")
    assert records.catalog("photos", workspace, members).count() == 0
    records.put_back("copy", records.ingested("photos"))
    records.share("later", "copy", anew=True)
    assert records.ingested("later") == Ingested((), emptied=True)
    records.add("later", intake("c"), beside=True)
    assert records.ingested("copy") == Ingested((intake("c"),), beside=False)
    records.share("photos", "new", anew=False)
    assert records.ingested("old") == records.ingested("photos") == Ingested((), beside=True, emptied=True)
