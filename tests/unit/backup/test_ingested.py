"""What was ingested into a collection is in its archive, and comes back under whatever name it is restored."""

import json
from pathlib import Path

import pytest

from console_core.backup.lists import Carried, digest_of
from console_core.backup.manifest import Manifest, sealed
from console_core.backup.operation import BackUp
from console_core.backup.restoring import Restore
from console_core.catalog.intake import Ingested, Intake
from console_core.database import Database
from console_core.errors import BackupDamaged
from console_core.migration.intakes import Intakes
from tests.unit.backup.conftest import World, run

FOLDER = Intake("a", "folder", "holiday", recursive=False)


@pytest.fixture(name="listed")
def _listed(tmp_path: Path, records: Intakes) -> Intake:
    """A list whose copy lies in the workspace, and that was ingested into `images`, after a folder."""
    (tmp_path / "ingested").mkdir()
    draft = tmp_path / "ingested" / "draft"
    draft.write_text("1.jpg,cat\n")
    draft.rename(draft.with_name(f"{digest_of(draft)}.csv"))
    (copy,) = draft.parent.iterdir()
    listed = Intake("b", "list", "shop/new.csv", copy=copy.name)
    records.add("images", FOLDER, beside=True)
    records.add("images", listed, beside=True)
    return listed


@pytest.fixture(name="records")
def _records(database: Database) -> Intakes:
    return Intakes(database)


def carried(records: Intakes, copies: Path) -> Carried:
    return Carried(records.ingested, records.put_back, copies)


def backed_up(world: World, records: Intakes, copies: Path) -> str:
    run(BackUp(world.store, world.backups, "images", "images-x", "r", carried=carried(records, copies)))
    return "images-x"


def test_it_comes_back_with_its_lists_in_another_workspace_and_under_another_name(
    world: World, records: Intakes, listed: Intake, tmp_path: Path
) -> None:
    world.made(count=3)
    backup = backed_up(world, records, tmp_path / "ingested")
    records.forget("images")
    records.add("images__restored", Intake("former", "folder", "gone"), beside=False)
    elsewhere = tmp_path / "elsewhere"
    for into in ("images__restored", "again"):
        run(Restore(world.store, world.backups, backup, into, carried=carried(records, elsewhere)))
        assert records.ingested(into) == Ingested((FOLDER, listed), beside=True)
        assert records.line(into) == [into]
    assert (elsewhere / listed.copy).read_text() == "1.jpg,cat\n"
    assert [file.name for file in elsewhere.iterdir()] == [listed.copy]


def test_an_archive_from_before_intakes_were_kept_restores_and_nothing_of_a_former_collection_is_put_back(
    world: World, records: Intakes, tmp_path: Path
) -> None:
    world.made(count=3)
    backup = backed_up(world, records, tmp_path)
    file = world.backups.folder / backup / "manifest.json"
    told = json.loads(file.read_text())
    file.write_text(sealed({name: told[name] for name in told if name not in ("ingested", "lists")} | {"version": 1}))
    records.add("again", FOLDER, beside=False)
    assert run(Restore(world.store, world.backups, backup, "again", carried=carried(records, tmp_path)))["points"] == 3
    assert records.of("again") == []


def test_a_list_whose_name_would_lead_out_of_the_workspace_is_refused(
    world: World, records: Intakes, listed: Intake, tmp_path: Path
) -> None:
    world.made(count=3)
    backup = backed_up(world, records, tmp_path / "ingested")
    file = world.backups.folder / backup / "manifest.json"
    file.write_text(sealed({**json.loads(file.read_text()), "lists": [f"../{listed.copy}"]}))
    with pytest.raises(BackupDamaged, match="changed list"):
        run(Restore(world.store, world.backups, backup, "again", carried=carried(records, tmp_path / "elsewhere")))


@pytest.mark.parametrize(("field", "value"), [("copy", "/etc/passwd"), ("copy", "../console.toml"), ("kind", "link")])
def test_an_intake_that_would_have_another_file_read_is_refused(
    world: World, records: Intakes, listed: Intake, tmp_path: Path, field: str, value: str
) -> None:
    world.made(count=3)
    file = world.backups.folder / backed_up(world, records, tmp_path / "ingested") / "manifest.json"
    data = json.loads(file.read_text())
    data["ingested"]["intakes"][1][field] = value
    with pytest.raises(BackupDamaged, match="is not what"):
        Manifest.from_text(sealed(data), "images-x")


def test_that_all_was_forgotten_comes_back_too(world: World, records: Intakes, tmp_path: Path) -> None:
    world.made(count=3)
    records.add("images", FOLDER, beside=False)
    records.remove("images", [FOLDER])
    backup = backed_up(world, records, tmp_path)
    run(Restore(world.store, world.backups, backup, "again", carried=carried(records, tmp_path)))
    assert records.ingested("again") == Ingested((), emptied=True)
