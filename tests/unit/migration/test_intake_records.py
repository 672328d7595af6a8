"""What was ingested into which collection, as the ledger keeps it."""

from pathlib import Path

import pytest
from PIL import Image

from console_core.catalog.folder import FolderCatalog
from console_core.catalog.intake import Intake, IntakeCatalog, Places
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
    places = Places((tmp_path,), tmp_path)
    workspace, theirs = FolderCatalog(tmp_path / "mine"), Intake("n", "folder", str(tmp_path / "theirs"))
    assert records.catalog("photos", workspace, places) is workspace
    records.add("photos", theirs, beside=False)
    records.add("albums", theirs, beside=True)
    records.add("albums", Intake("m", "folder", str(tmp_path / "theirs")), beside=False)
    own, both = (records.catalog(name, workspace, places) for name in ("photos", "albums"))
    assert isinstance(own, IntakeCatalog)
    assert isinstance(both, JoinedCatalog)
    assert [row.key for row in own.rows()] == ["ingest:n:theirs/1.jpg"]
    assert [row.key for row in both.rows()] == ["1.jpg", "ingest:m:theirs/1.jpg", "ingest:n:theirs/1.jpg"]


def test_what_is_built_from_a_collection_has_its_catalog_and_nothing_of_a_former_one_of_that_name(
    records: Intakes,
) -> None:
    records.add("photos", intake(), beside=True)
    records.add("photos__new", intake("former"), beside=False)
    for _ in range(2):
        records.inherit("photos__new", "photos")
    assert records.of("photos__new") == [intake()]
    records.inherit("photos__new", "not ingested")
    assert records.of("photos__new") == []


def test_a_collection_that_is_renamed_takes_its_intakes_along_and_one_that_is_gone_has_none(records: Intakes) -> None:
    records.add("photos", intake(), beside=False)
    for _ in range(2):
        records.rename("photos", "photos__former")
    assert (records.of("photos"), records.of("photos__former")) == ([], [intake()])
    for _ in range(2):
        records.forget("photos__former")
    assert records.of("photos__former") == []
