"""What was ingested as a catalog: whose picture is which, and what the folders and lists tell of it."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from console_core.catalog.intake import Intake, IntakeCatalog, Places, path_in, picture_key, row_of
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import Slice
from console_core.errors import CatalogUnavailable
from tests.unit.catalog.pictures import encoded, noise


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    for name in ("a/1.jpg", "a/deep/2.jpg", "b/1.jpg"):
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(noise()))
    return tmp_path / "images"


def at(*roots: Path) -> Places:
    return Places(roots, roots[0].parent)


def folder(place: Path, namespace: str = "n", *, recursive: bool = True) -> Intake:
    return Intake(namespace, "folder", str(place), recursive=recursive)


def listed(place: Path, text: str, namespace: str = "n") -> Intake:
    place.write_text(text)
    return Intake(namespace, "list", str(place))


def keys(catalog: IntakeCatalog) -> list[str]:
    return [row.key for row in catalog.rows()]


def test_the_same_path_in_two_namespaces_is_two_pictures(root: Path) -> None:
    catalog = IntakeCatalog([folder(root / "a", "x"), folder(root / "a", "y")], at(root))
    assert keys(catalog) == [
        "ingest:x:a/1.jpg",
        "ingest:x:a/deep/2.jpg",
        "ingest:y:a/1.jpg",
        "ingest:y:a/deep/2.jpg",
    ]
    assert [row.payload["namespace"] for row in catalog.rows()] == ["x", "x", "y", "y"]


def test_a_picture_has_one_key_by_whatever_folder_or_list_it_was_found(root: Path) -> None:
    by_list = listed(root / "deliveries.txt", f"{root}/a/1.jpg,cat\n./a/../b/1.jpg,dog\n")
    catalog = IntakeCatalog([folder(root), folder(root / "a"), by_list], at(root))
    assert keys(catalog) == ["ingest:n:a/1.jpg", "ingest:n:a/deep/2.jpg", "ingest:n:b/1.jpg"]
    assert [row.payload["label"] for row in catalog.rows()] == ["cat", "", "dog"]


def test_a_later_list_wins_over_an_earlier_one_and_a_folder_never_takes_a_label_away(root: Path) -> None:
    first = listed(root / "first.txt", "a/1.jpg,cat\n")
    later = listed(root / "later.txt", "a/1.jpg,tiger\n")
    assert [row.payload["label"] for row in IntakeCatalog([first, later, folder(root / "a")], at(root)).rows()] == [
        "tiger",
        "",
    ]


def test_the_payload_has_what_a_search_filters_by_and_what_the_list_told_beside(root: Path) -> None:
    catalog = IntakeCatalog([listed(root / "deliveries.txt", "a/deep/2.jpg,cat,indoors\n")], at(root))
    (row,) = catalog.rows()
    assert row.payload == {
        "type": "image",
        "filename": "2.jpg",
        "path": "a/deep/2.jpg",
        "extension": "jpg",
        "folder": "a/deep",
        "namespace": "n",
        "label": "cat",
        "column_3": "indoors",
    }
    assert row.candidates == (str(root / "a/deep/2.jpg"),)


def test_pictures_of_another_image_root_have_their_whole_path_in_the_key(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "a"
    elsewhere.mkdir(parents=True)
    (elsewhere / "1.jpg").write_bytes(encoded(noise()))
    catalog = IntakeCatalog([folder(root / "a"), folder(elsewhere)], at(root, tmp_path / "elsewhere"))
    assert keys(catalog) == [f"ingest:n:{elsewhere}/1.jpg", "ingest:n:a/1.jpg", "ingest:n:a/deep/2.jpg"]


def test_one_intake_of_several_has_its_own_pictures_as_all_of_them_tell_them(root: Path) -> None:
    labels, own = listed(root / "labels.txt", "a/1.jpg,cat\nb/1.jpg,dog\n"), folder(root / "a", recursive=False)
    catalog = IntakeCatalog([labels, own], at(root), only=own)
    assert [(row.key, row.payload["label"]) for row in catalog.rows()] == [("ingest:n:a/1.jpg", "cat")]
    assert catalog.count() == 1


def test_a_label_that_changed_changes_the_revision_and_so_does_the_file(root: Path) -> None:
    file = root / "deliveries.txt"
    catalog = IntakeCatalog([listed(file, "a/1.jpg,cat\n")], at(root))
    seen = {row.revision for row in catalog.rows()}
    file.write_text("a/1.jpg,dogs\n")
    seen |= {row.revision for row in catalog.rows()}
    (root / "a/1.jpg").write_bytes(encoded(noise()) + b"more")
    seen |= {row.revision for row in catalog.rows()}
    assert len(seen) == 3


def test_a_copy_of_a_list_is_read_and_its_paths_start_where_the_list_lay(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.csv"
    copy.write_text("a/1.jpg,cat\n")
    catalog = IntakeCatalog([Intake("n", "list", str(root / "gone.txt"), copy=copy.name)], at(root))
    assert keys(catalog) == ["ingest:n:a/1.jpg"]


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_catalog(root: Path) -> None:
    with pytest.raises(CatalogUnavailable, match="gone"):
        IntakeCatalog([folder(root / "a"), folder(root / "gone")], at(root))


def test_a_picture_that_is_deleted_while_rows_are_read_is_left_out(root: Path) -> None:
    catalog = IntakeCatalog([folder(root)], at(root))
    rows = catalog.rows()
    next(rows)
    (root / "a/deep/2.jpg").unlink()
    for _, member in catalog._members:
        member.close()  # so that the folder is read again at the next question
    assert catalog.get(["ingest:n:a/deep/2.jpg"]) == []
    assert [row.key for row in rows] == ["ingest:n:b/1.jpg"]


def test_of_a_picture_in_a_folder_that_may_not_be_read_nobody_says_that_it_is_gone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def closed(place: str | Path) -> Any:
        if str(place).rstrip("/").endswith("/deep"):
            raise PermissionError(13, "Permission denied")
        return scan(place)

    monkeypatch.setattr(os, "scandir", closed)
    catalog = IntakeCatalog([folder(root), folder(root, "m")], at(root))
    assert [row.key for row in catalog.get(["ingest:n:a/1.jpg", "ingest:other:a/deep/2.jpg"])] == ["ingest:n:a/1.jpg"]
    with pytest.raises(CatalogUnavailable, match="may not be read"):
        catalog.get(["ingest:n:a/1.jpg", "ingest:m:a/deep/2.jpg"])


def test_what_is_recorded_moves_with_the_root_and_a_root_itself_can_be_ingested(root: Path, tmp_path: Path) -> None:
    places = at(root)
    (tmp_path / "copy.csv").write_text("1.jpg,cat\n")
    recorded = [
        Intake("x", "folder", places.text(root)),
        Intake("y", "list", places.text(root / "b" / "list.csv"), copy="copy.csv"),
    ]
    assert [one.location for one in recorded] == [".", "b/list.csv"]
    before = [(row.key, row.payload) for row in IntakeCatalog(recorded, places).rows()]
    assert len(before) == 4
    moved = shutil.move(root, tmp_path / "moved")
    after = IntakeCatalog(recorded, Places((Path(moved),), tmp_path))
    assert [(row.key, row.payload) for row in after.rows()] == before


def test_what_is_in_a_slice_is_told_by_namespace_and_label(root: Path) -> None:
    catalog = IntakeCatalog([folder(root / "a", "x"), listed(root / "l.txt", "b/1.jpg,dog\n", "y")], at(root))
    assert catalog.facets()["namespace"] == {"x": 2, "y": 1}
    assert [row.key for row in catalog.rows(Slice({"label": ("dog",)}))] == ["ingest:y:b/1.jpg"]


def test_a_name_that_is_no_utf8_is_found_by_its_key(root: Path) -> None:
    file = os.fsencode(root / "a") + b"/caf\xe9.jpg"
    Path(os.fsdecode(file)).write_bytes(encoded(noise()))
    (row,) = IntakeCatalog([folder(root / "a")], at(root)).get(["ingest:n:a/caf\\xe9.jpg"])
    again = row_of(row.key, at(root))
    assert again is not None
    assert LocalFiles((root,)).read(again.candidates[0]) == LocalFiles((root,)).read(row.candidates[0])


def test_a_key_alone_finds_the_picture_to_show_it(root: Path) -> None:
    key = picture_key("n", "a/1.jpg")
    assert path_in(key) == "a/1.jpg"
    row = row_of(key, at(root))
    assert row is not None
    assert (row.key, row.candidates) == (key, (str(root / "a/1.jpg"),))
    assert row_of(picture_key("n", "a/none.jpg"), at(root)) is None
    assert row_of("17", at(root)) is None


def test_an_address_in_a_list_is_its_key_and_path_however_it_is_spelled_and_its_name_is_told_decoded(
    root: Path,
) -> None:
    both = listed(
        root / "mixed.csv",
        "a/1.jpg,cat\nHTTPS://Pictures.example:443/shop/./r%C3%A9d%20one.JPG?size=7,dog\ns3://bucket/x%20/./2.png\n",
    )
    at_all = Places((root,), root.parent, ("https://pictures.example/shop/", "s3://bucket/"))
    rows = list(IntakeCatalog([both, folder(root)], at_all).rows())
    assert [row.key for row in rows] == [
        "ingest:n:a/1.jpg",
        "ingest:n:a/deep/2.jpg",
        "ingest:n:b/1.jpg",
        "ingest:n:https://pictures.example/shop/r%C3%A9d%20one.JPG?size=7",
        "ingest:n:s3://bucket/x%20/2.png",
    ]
    told = [{name: row.payload[name] for name in ("path", "filename", "extension", "folder")} for row in rows[3:]]
    assert told == [
        {
            "path": "https://pictures.example/shop/r%C3%A9d%20one.JPG?size=7",
            "filename": "réd one.JPG",
            "extension": "jpg",
            "folder": "https://pictures.example/shop",
        },
        {
            "path": "s3://bucket/x%20/2.png",
            "filename": "2.png",
            "extension": "png",
            "folder": "s3://bucket/x%20",
        },
    ]
    for row in rows[3:]:
        shown = row_of(row.key, at_all)
        assert shown is not None
        assert shown.candidates == (row.payload["path"],)


@pytest.mark.parametrize(
    ("picture", "is_held"),
    [
        ("a/1.jpg", True),
        ("/etc/passwd", False),
        ("../../etc/passwd", False),
        ("https://pictures.example/shop/1.jpg", True),
        ("https://pictures.example/shop/%2e%2e/1.jpg", False),
        ("https://pictures.example/other/1.jpg", False),
        ("http://pictures.example/shop/1.jpg", False),
        ("https://user@pictures.example/shop/1.jpg", False),
        ("s3://bucket/shop/1.jpg", True),
        ("s3://bucket/shop/../../1.jpg", False),
        ("s3://bucket/shops/1.jpg", False),
        ("s3://other/shop/1.jpg", False),
        ("file:///etc/passwd", False),
    ],
)
def test_what_lies_in_an_image_root_is_told_without_asking_anybody(root: Path, picture: str, is_held: bool) -> None:
    addresses = ("https://pictures.example/shop/", "s3://bucket/shop/")
    assert Places((root,), root.parent, addresses).holding()(picture) == is_held


def test_a_link_lies_where_it_leads(root: Path) -> None:
    (root.parent / "elsewhere").mkdir()
    (root / "out").symlink_to(root.parent / "elsewhere")
    (root / "out.jpg").symlink_to(root.parent / "elsewhere" / "1.jpg")
    (root / "in.jpg").symlink_to(root / "a" / "1.jpg")
    (root.parent / "also").symlink_to(root)
    holds = Places((root.parent / "also",), root.parent).holding()
    pictures = ("a/1.jpg", "in.jpg", "out.jpg", "out/1.jpg", f"{root}/a/1.jpg", ".", "a/..", "..")
    assert [picture for picture in pictures if holds(picture)] == ["a/1.jpg", "in.jpg", f"{root}/a/1.jpg", ".", "a/.."]
