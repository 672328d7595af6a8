"""What was ingested as a catalog: whose picture is which, and what the folders and lists tell of it."""

import os
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console_core.catalog import folder as folders
from console_core.catalog.intake import Intake, Places, path_in, picture_key, row_of
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.intake_members import Members
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


# What is read, and how much of it is kept


def listing(place: Path, pictures: int) -> Intake:
    return listed(place, "".join(f"{number:06}.jpg,a label of picture {number}\n" for number in range(pictures)))


def test_memory_stays_bounded_however_long_a_list_is(root: Path, tmp_path: Path) -> None:
    catalog = IntakeCatalog([listing(root / "long.csv", 5_000)], at(root))
    tracemalloc.start()
    try:
        assert sum(1 for _ in catalog.rows()) == catalog.count() == 5_000
        assert catalog.count(after="ingest:n:004000.jpg") == 999
        assert len(catalog.get([f"ingest:n:{number:06}.jpg" for number in range(0, 5_000, 40)])) == 125
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000, peak


def test_a_list_is_read_once_for_all_who_ask_and_its_index_serves_the_next_process(root: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    intake = listing(root / "l.csv", 3)
    members = Members(at(root), cache)
    first, second = (IntakeCatalog([intake], at(root), members=members) for _ in range(2))
    assert keys(first) == keys(second)
    (index,) = cache.iterdir()
    made = index.stat()
    other = replace(intake, namespace="m")
    assert len(keys(IntakeCatalog([intake, other], at(root), members=Members(at(root), cache)))) == 6
    assert [(file, file.stat().st_mtime_ns, file.stat().st_ino) for file in cache.iterdir()] == [
        (index, made.st_mtime_ns, made.st_ino)
    ]


def test_one_copy_of_a_list_that_lay_in_two_folders_has_an_index_for_each(root: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.csv").write_text("1.jpg,cat\n")
    intakes = [Intake("n", "list", f"{place}/new.csv", copy="copy.csv") for place in "ab"]
    for _ in range(2):
        catalog = IntakeCatalog(intakes, at(root), members=Members(at(root), tmp_path / "cache"))
        assert keys(catalog) == ["ingest:n:a/1.jpg", "ingest:n:b/1.jpg"]
        assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_folder_is_read_again_only_where_it_has_changed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "SETTLED", -(10**9))  # as if the pictures had been there for a while
    scanned: list[str] = []
    scan = os.scandir

    def noted(place: Path) -> Any:
        scanned.append(str(place))
        return scan(place)

    monkeypatch.setattr(os, "scandir", noted)
    members = Members(at(root))

    def looked() -> int:
        return IntakeCatalog([folder(root)], at(root), members=members).count()

    assert looked() == 3
    scanned.clear()
    assert (looked(), scanned) == (3, [])
    shutil.copyfile(root / "a/1.jpg", root / "a/deep/3.jpg")
    assert looked() == 4
    assert scanned
    (root / "a/1.jpg").unlink()
    assert looked() == 3
    shutil.rmtree(root)
    with pytest.raises(CatalogUnavailable):
        looked()


def test_pictures_are_in_order_also_where_the_first_image_root_lies_within_the_folder(root: Path) -> None:
    """Their paths then start from different places, so that the folder's order is not that of the keys."""
    catalog = IntakeCatalog([folder(root)], at(root / "a", root))
    expected = sorted(["ingest:n:1.jpg", "ingest:n:deep/2.jpg", f"ingest:n:{root}/b/1.jpg"])
    assert keys(catalog) == expected
    for place, key in enumerate(expected, start=1):
        assert [row.key for row in catalog.rows(after=key)] == expected[place:]
        assert catalog.count(after=key) == len(expected) - place
        assert [row.key for row in catalog.get([key])] == [key]


def test_a_list_may_spell_a_path_in_any_way_and_each_leads_to_the_same_picture(root: Path) -> None:
    """A path that needs no thought is not thought about: it must come out as one that is."""
    names = ["a/1.jpg", "a//1.jpg", "./a/1.jpg", f"{root}/a/1.jpg", "b/../a/1.jpg", "a/./1.jpg", f"{root}//a/1.jpg"]
    told = [f"{name},{number}" for number, name in enumerate(names)]
    for number, line in enumerate(told):
        (row,) = IntakeCatalog([listed(root / f"{number}.txt", line)], at(root)).rows()
        assert (row.key, row.payload["label"]) == ("ingest:n:a/1.jpg", str(number))
        assert LocalFiles((root,)).read(row.candidates[0])
    assert keys(IntakeCatalog([listed(root / "all.txt", "\n".join(told))], at(root))) == ["ingest:n:a/1.jpg"]
