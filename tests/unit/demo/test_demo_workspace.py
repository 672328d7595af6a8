"""Preparing the demo workspace: complete, recognised, safe against crashes and other people's files."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from console_core import settings
from console_core.catalog.sql import SqlCatalog
from console_core.demo import workspace
from console_core.demo.pictures import paint_pictures, plan_pictures
from console_core.demo.workspace import DemoReport, prepare, recognise
from console_core.errors import Refused, SettingsError
from console_core.settings import Settings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.types import VectorStore

PICTURES = 60


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> DemoReport:
    return prepare(tmp_path_factory.mktemp("demo") / "workspace", pictures=PICTURES)


@pytest.fixture(scope="module")
def configured(prepared: DemoReport) -> Settings:
    return settings.read(Path(prepared.folder), environment={})


@pytest.fixture
def store(configured: Settings) -> Iterator[VectorStore]:
    store = open_store(configured.store)
    yield store
    store.close()


def _rows(configured: Settings, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(configured.workspace / "catalog.db")) as database:
        return database.execute(query).fetchall()


def test_the_catalog_has_every_column_of_a_real_application(configured: Settings) -> None:
    columns = {name for _, name, *_ in _rows(configured, "PRAGMA table_info(images)")}
    assert columns == {
        "id", "user_id", "compressed_path", "original_path", "file_path", "processing_status", "caption", "image_type",
        "embedding", "embedding_model", "created_at",
    }  # fmt: skip
    catalog = SqlCatalog(configured.catalog)
    assert catalog.count() == PICTURES
    assert set(catalog.facets()) == {"user_id", "image_type"}
    assert len(catalog.facets()["user_id"]) == 6
    catalog.close()


def test_every_file_is_where_its_row_says_except_for_the_missing_ones(
    prepared: DemoReport, configured: Settings
) -> None:
    root = configured.image_roots[0]
    for key, *paths in _rows(configured, "SELECT id, compressed_path, original_path, file_path FROM images"):
        there = [path for path in paths if path and (root / str(path)).exists()]
        assert bool(there) is (str(key) not in prepared.defects["missing"])
    named = {str(p) for row in _rows(configured, "SELECT compressed_path, original_path, file_path FROM images")
             for p in row if p}  # fmt: skip
    on_disk = {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}
    assert on_disk <= named


def test_a_compressed_version_comes_first_and_is_the_smaller_one(configured: Settings) -> None:
    catalog = SqlCatalog(configured.catalog)
    rows = [row for row in catalog.rows() if len(row.candidates) == 2]
    catalog.close()
    assert rows
    root = configured.image_roots[0]
    both = [[root / path for path in row.candidates] for row in rows]
    assert any(not first.exists() for first, _ in both)
    assert all(second.exists() for _, second in both)
    assert all(first.stat().st_size < second.stat().st_size for first, second in both if first.exists())


def test_each_planted_defect_fails_in_its_own_class_and_the_odd_ones_are_embedded(
    prepared: DemoReport, store: VectorStore
) -> None:
    expected = {"missing": "missing", "truncated": "unreadable", "zero bytes": "empty",
                "HTML named .jpg": "unsupported"}  # fmt: skip
    assert prepared.failures == {key: kind for name, kind in expected.items() for key in prepared.defects[name]}
    odd = [int(key) for name, keys in prepared.defects.items() if name not in expected for key in keys]
    assert len(odd) == 5
    assert len(store.retrieve(prepared.collection, odd)) == 5


def test_the_alias_leads_to_a_collection_stamped_by_demo_clip(prepared: DemoReport, store: VectorStore) -> None:
    assert store.aliases() == {"images": "images__demo-clip"}
    info = store.describe("images")
    assert (info.dimension, info.points) == (128, prepared.points)
    assert info.stamp is not None
    assert info.stamp.model == "demo-clip"
    made = [provenance(point.payload) for point in store.scroll(info.name)]
    assert {one.fingerprint for one in made if one} == {info.stamp.fingerprint}
    assert None not in made


def test_points_are_the_good_pictures_and_the_gaps_are_as_reported(
    prepared: DemoReport, configured: Settings, store: VectorStore
) -> None:
    catalog = SqlCatalog(configured.catalog)
    rows = {row.key: row for row in catalog.rows()}
    catalog.close()
    points = {str(point.id): point for point in store.scroll(prepared.collection)}
    assert set(points) - set(rows) == set(prepared.orphans)
    assert set(rows) - set(points) == set(prepared.waiting) | set(prepared.failures)
    stale = {
        key
        for key in set(rows) & set(points)
        if (made := provenance(points[key].payload)) and made.revision != rows[key].revision
    }
    assert stale == set(prepared.stale)
    assert len(prepared.orphans) == 3
    assert len(prepared.stale) == 4


def test_the_catalog_has_the_same_vectors_as_little_endian_floats(
    prepared: DemoReport, configured: Settings, store: VectorStore
) -> None:
    found = _rows(configured, "SELECT id, embedding FROM images WHERE embedding_model = 'demo-clip'")
    rows = {key: blob for key, blob in found if isinstance(key, int)}
    assert len(rows) == prepared.points - len(prepared.orphans)
    for point in store.retrieve(prepared.collection, list(rows)[:10], vectors=True):
        assert isinstance(point.id, int)
        blob = rows[point.id]
        assert isinstance(blob, bytes)
        assert point.vector is not None
        assert np.allclose(np.frombuffer(blob, "<f4"), point.vector, atol=1e-6)


def test_a_complete_workspace_is_recognised_and_left_as_it_is(prepared: DemoReport) -> None:
    folder = Path(prepared.folder)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    assert prepare(folder, pictures=PICTURES) == prepared == recognise(folder)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_a_moved_workspace_is_still_recognised(prepared: DemoReport, tmp_path: Path) -> None:
    (tmp_path / workspace.MARKER).write_text((Path(prepared.folder) / workspace.MARKER).read_text())
    moved = recognise(tmp_path)
    assert moved is not None
    assert moved.folder == str(tmp_path)


@pytest.mark.parametrize("content", ["", "{", json.dumps({"version": 1})])
def test_a_damaged_marker_is_no_marker(content: str, tmp_path: Path) -> None:
    (tmp_path / workspace.MARKER).write_text(content)
    assert recognise(tmp_path) is None


def test_a_folder_with_something_else_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(Refused, match="not a demo workspace"):
        prepare(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workspace").touch()
    with pytest.raises(Refused):
        prepare(tmp_path / "workspace")


def test_too_few_pictures_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="too small"):
        prepare(tmp_path / "workspace", pictures=5)
    assert not list(tmp_path.iterdir())


def test_a_crash_leaves_no_workspace_and_the_next_start_clears_up_and_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "workspace"
    dead = tmp_path / ".workspace.demo-999999999"
    dead.mkdir()
    (dead / "half").touch()

    def crash(what: str, part: float) -> None:
        if what == "Embedding pictures":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(folder, progress=crash, pictures=24)
    assert recognise(folder) is None
    assert not list(tmp_path.iterdir())
    seen: list[tuple[str, float]] = []
    assert prepare(folder, progress=lambda *step: seen.append(step), pictures=24).pictures == 24
    parts = [part for _, part in seen]
    assert parts == sorted(parts)
    assert seen[-1] == ("Ready", 1.0)
    assert [entry.name for entry in tmp_path.iterdir()] == ["workspace"]


def test_a_build_that_was_cut_off_while_moving_is_made_again_and_other_files_stay(
    prepared: DemoReport, tmp_path: Path
) -> None:
    (tmp_path / settings.FILE).write_text((Path(prepared.folder) / settings.FILE).read_text())
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "half.jpg").touch()
    (tmp_path / "ledger.db").write_bytes(b"the console's own")
    assert prepare(tmp_path, pictures=24).pictures == 24
    assert not (tmp_path / "images" / "half.jpg").exists()
    assert (tmp_path / "ledger.db").read_bytes() == b"the console's own"


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        prepare(tmp_path / "file" / "workspace", pictures=24)


def test_worker_processes_paint_the_same_files_as_this_one(tmp_path: Path) -> None:
    pictures = plan_pictures(101)
    told: list[float] = []
    paint_pictures(pictures, tmp_path / "two", told.append, workers=2)
    paint_pictures(pictures[-20:], tmp_path / "one", lambda _: None, workers=1)
    assert told[-1] == 1.0
    for file in (tmp_path / "one").rglob("*.jpg"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()
