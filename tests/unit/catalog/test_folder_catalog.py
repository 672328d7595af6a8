"""Folders as catalogs: what counts as a picture, and what a folder can hold without being in the way."""

import os
from pathlib import Path

import pytest

from console_core.catalog.folder import FolderCatalog
from console_core.catalog.loading import load
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import Slice
from console_core.errors import CatalogUnavailable
from tests.unit.catalog.pictures import encoded, noise


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def keys(root: Path, recursive: bool = True) -> list[str]:
    return [row.key for row in FolderCatalog(root, recursive=recursive).rows()]


def test_pictures_are_told_by_their_extension_in_any_case(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "b.JPEG", "c.Png", "d.gif", "e.bmp", "f.webp", "g.txt", "h", "jpg", ".jpg", "i.jpg.part")
    assert keys(tmp_path) == ["a.jpg", "b.JPEG", "c.Png", "d.gif", "e.bmp", "f.webp"]


def test_keys_are_paths_from_the_folder_in_order(tmp_path: Path) -> None:
    put(tmp_path, "b/z.jpg", "b.jpg", "b/a/1.jpg", "a/x.jpg", "B.jpg")
    assert keys(tmp_path) == ["B.jpg", "a/x.jpg", "b.jpg", "b/a/1.jpg", "b/z.jpg"]


def test_subfolders_can_be_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "sub/b.jpg")
    assert keys(tmp_path, recursive=False) == ["a.jpg"]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "._a.jpg", ".thumbnails/a.jpg", "sub/.trash/b.jpg")
    assert keys(tmp_path) == ["a.jpg"]


def test_a_row_says_what_its_path_says(tmp_path: Path) -> None:
    put(tmp_path, "cats/2024/Tom.v2.JPG")
    (row,) = FolderCatalog(tmp_path).rows()
    assert row.candidates == (str(tmp_path / "cats/2024/Tom.v2.JPG"),)
    assert row.payload == {
        "type": "image",
        "filename": "Tom.v2.JPG",
        "path": "cats/2024/Tom.v2.JPG",
        "extension": "jpg",
        "folder": "cats/2024",
    }


def test_the_revision_changes_with_size_and_time_and_with_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    catalog = FolderCatalog(tmp_path)
    (before,) = catalog.get(["a.jpg"])
    assert catalog.get(["a.jpg"]) == [before]
    os.utime(tmp_path / "a.jpg", ns=(1, 1))
    (touched,) = catalog.get(["a.jpg"])
    (tmp_path / "a.jpg").write_bytes(b"longer")
    os.utime(tmp_path / "a.jpg", ns=(1, 1))
    (longer,) = catalog.get(["a.jpg"])
    assert len({before.revision, touched.revision, longer.revision}) == 3


def test_links_in_a_circle_come_to_an_end_and_no_folder_is_listed_twice(tmp_path: Path) -> None:
    put(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "over").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "back").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    (tmp_path / "broken.jpg").symlink_to("nowhere.jpg")
    assert keys(tmp_path) == ["a/1.jpg", "b/2.jpg"]


def test_a_linked_folder_is_listed_and_never_renames_a_picture(tmp_path: Path) -> None:
    put(tmp_path / "root", "z/real.jpg")
    put(tmp_path, "elsewhere/far.jpg")
    before = keys(tmp_path / "root")
    (tmp_path / "root" / "a-link").symlink_to(tmp_path / "root" / "z")
    (tmp_path / "root" / "album").symlink_to(tmp_path / "elsewhere")
    assert keys(tmp_path / "root") == ["album/far.jpg", *before]


def test_a_name_that_is_not_utf8_can_be_listed_stored_asked_for_and_loaded(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9/\xff.png")
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_bytes(encoded(noise()))
    put(tmp_path, "a.jpg", "日本.jpg")
    catalog = FolderCatalog(tmp_path)
    _, row, _ = catalog.rows()
    assert row.key == "caf\\xe9/\\xff.png"
    for text in (row.key, *row.candidates, *map(str, row.payload.values())):
        text.encode()
    assert catalog.get([row.key]) == [row]
    assert catalog.count(Slice({"folder": ("caf\\xe9",)})) == 1
    assert load(row, LocalFiles((tmp_path,))).image.size == (40, 30)


def test_what_is_deleted_during_a_pass_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    rows = FolderCatalog(tmp_path).rows()
    next(rows)
    (tmp_path / "b.jpg").unlink()
    assert [row.key for row in rows] == ["c.jpg"]


def test_what_is_added_is_seen_when_the_reading_is_no_longer_fresh(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    patient, eager = FolderCatalog(tmp_path, fresh=3600), FolderCatalog(tmp_path, fresh=0)
    assert patient.count() == eager.count() == 1
    put(tmp_path, "b.jpg")
    assert patient.count() == 1
    assert eager.count() == 2


def test_a_folder_inside_that_may_not_be_read_is_named_and_costs_no_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a.jpg", "closed/b.jpg", "open/c.jpg")
    really = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    catalog = FolderCatalog(tmp_path)
    assert [row.key for row in catalog.rows()] == ["a.jpg", "open/c.jpg"]
    assert catalog.info().details["folders that may not be read"] == "closed"


def test_a_disk_that_fails_is_no_reason_to_believe_that_pictures_were_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a.jpg", "far/b.jpg")
    really = os.scandir

    def scandir(path: Path) -> object:
        if path.name == "far":
            raise OSError(5, "Input/output error")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(CatalogUnavailable, match="far cannot be read: Input/output error"):
        list(FolderCatalog(tmp_path).rows())


def test_a_folder_that_is_missing_or_a_file_is_unavailable(tmp_path: Path) -> None:
    put(tmp_path, "a.jpg")
    for path in (tmp_path / "none", tmp_path / "a.jpg"):
        with pytest.raises(CatalogUnavailable, match=path.name) as raised:
            FolderCatalog(path)
        assert raised.value.remedy


def test_a_folder_that_vanishes_later_is_unavailable(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root, "a.jpg")
    catalog = FolderCatalog(root, fresh=0)
    assert catalog.count() == 1
    root.rename(tmp_path / "moved")
    with pytest.raises(CatalogUnavailable):
        catalog.count()


def test_many_files_with_names_in_any_encoding_are_each_listed_once_and_found_again(tmp_path: Path) -> None:
    ascending = [
        b"plain %d.jpg",
        "日本 %d.jpg".encode(),
        b"caf\xe9 %d.jpg",
        "ж%d.jpg".encode("koi8-r"),
        b"\xff\xfe%d.jpg",
    ]
    names = [os.fsdecode(pattern % number) for pattern in ascending for number in range(2000)]
    for name in names:
        (tmp_path / name).touch()
    for loop in range(20):
        (tmp_path / f"loop {loop}").symlink_to(tmp_path)
    catalog = FolderCatalog(tmp_path)
    found = [row.key for row in catalog.rows()]
    assert len(set(found)) == len(found) == len(names)
    assert [row.key for row in catalog.get(found)] == found
    for key in found:
        key.encode()
