"""Backups as one file at signed addresses."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from console_core.backup.archive import Archive
from console_core.backup.lists import Carried, digest_of
from console_core.backup.operation import BackUp
from console_core.catalog.intake import Ingested, Intake
from console_core.runs.types import Counts
from console_core.vectorstore.types import CollectionSpec, Point
from console_core.web import process
from console_core.web.backups import backup_url


@pytest.fixture(name="backup")
def _backup(client: TestClient, tmp_path: Path) -> str:
    """With a list that was ingested."""
    draft = tmp_path / "draft"
    draft.write_text("1.jpg,cat\n")
    copy = draft.rename(tmp_path / f"{digest_of(draft)}.csv")
    ingested = Ingested((Intake("n", "list", "new.csv", copy=copy.name),))
    carried = Carried(lambda collection: ingested, copies=tmp_path)
    console = process.console()
    console.store.create("images", CollectionSpec(8))
    rows = np.random.default_rng(3).normal(size=(300, 8)).astype(np.float32)
    console.store.upsert("images", [Point(n, rows[n], {"n": n}) for n in range(300)])
    backup = console.backups.new_id("images")
    operation = BackUp(console.store, console.backups, "images", backup, "r", part_bytes=4000, carried=carried)
    list(operation.steps("", Counts()))
    return backup


def test_a_downloaded_backup_is_whole_and_can_be_read_elsewhere(
    client: TestClient, backup: str, tmp_path: Path
) -> None:
    answer = client.get(backup_url(backup))
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{backup}.tar"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        tar.extractall(tmp_path / "elsewhere", filter="data")
    archive = Archive.open(tmp_path / "elsewhere" / backup)
    assert sum(archive.check()) == 300
    assert len(archive.manifest.lists) == 1


def test_only_signed_addresses_are_answered_and_only_for_their_backup(client: TestClient, backup: str) -> None:
    url = backup_url(backup)
    assert client.get(url.partition("?")[0]).status_code == 403
    assert client.get(url.replace(backup, "another")).status_code == 403
    assert client.get(url + "x").status_code == 403
    assert client.get(backup_url("another")).status_code == 404
    assert client.get(backup_url("..")).status_code == 404


def test_a_damaged_backup_is_not_handed_out(client: TestClient, backup: str) -> None:
    (process.console().backups.folder / backup / "part-00001.parquet").unlink()
    answer = client.get(backup_url(backup))
    assert answer.status_code == 409
    assert "missing part" in answer.text
