"""Image lists as catalogs: whatever editor wrote them."""

import os
from pathlib import Path

import pytest

from console_core.catalog.image_list import ImageListCatalog
from console_core.catalog.loading import load
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.opening import open_catalog
from console_core.catalog.types import ImageRow, Slice
from console_core.errors import CatalogError, CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings
from tests.unit.catalog.pictures import encoded, noise


def written(folder: Path, content: str | bytes) -> Path:
    file = folder / "images.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def rows(folder: Path, content: str | bytes) -> list[ImageRow]:
    return list(ImageListCatalog(written(folder, content)).rows())


def refusal(folder: Path, content: str | bytes) -> CatalogError:
    with pytest.raises(CatalogInvalid) as raised:
        rows(folder, content)
    assert raised.value.remedy
    return raised.value


def test_comments_blank_lines_line_ends_and_a_byte_order_mark_are_no_pictures(tmp_path: Path) -> None:
    content = "\ufeffb.jpg,cat\r\n# a comment, with a comma\r\n\r\n  # another\r\na.jpg,dog\r\n   \r\n"
    assert [(row.key, row.payload["label"]) for row in rows(tmp_path, content)] == [("a.jpg", "dog"), ("b.jpg", "cat")]


def test_paths_are_relative_to_the_list_or_absolute(tmp_path: Path) -> None:
    found = rows(tmp_path, "sub/a.jpg\n/srv/b.jpg\n../c.jpg\n")
    assert [(row.key, row.candidates) for row in found] == [
        ("../c.jpg", (f"{tmp_path}/../c.jpg",)),
        ("/srv/b.jpg", ("/srv/b.jpg",)),
        ("sub/a.jpg", (f"{tmp_path}/sub/a.jpg",)),
    ]


def test_an_address_stays_as_it_is_and_what_follows_it_is_no_part_of_its_name(tmp_path: Path) -> None:
    address = "https://host.example/p/cats/tom.jpg?token=abc"
    (row,) = rows(tmp_path, f"{address},cat\n")
    assert (row.key, row.candidates) == (address, (address,))
    assert (row.payload["filename"], row.payload["extension"]) == ("tom.jpg", "jpg")
    assert row.facets["folder"] == "https://host.example/p/cats"
    (other,) = rows(tmp_path, f"{address},dog\n")
    assert other.revision != row.revision


def test_a_row_carries_its_label_and_further_columns(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "cats/Tom.JPG, tom ,indoors,,2024\n")
    assert row.payload == {
        "type": "image",
        "filename": "Tom.JPG",
        "path": "cats/Tom.JPG",
        "extension": "jpg",
        "folder": "cats",
        "label": "tom",
        "column_3": "indoors",
        "column_4": "",
        "column_5": "2024",
    }


def test_quotes_protect_commas_quotes_and_hashes(tmp_path: Path) -> None:
    found = rows(tmp_path, '"a, b.jpg","says ""hi"""\n"#1.jpg",first\n')
    assert [(row.key, row.payload["label"]) for row in found] == [("#1.jpg", "first"), ("a, b.jpg", 'says "hi"')]


def test_a_heading_is_no_picture(tmp_path: Path) -> None:
    assert [row.key for row in rows(tmp_path, "# list\nPath,label\na.jpg,cat\npath,other\n")] == ["a.jpg", "path"]


def test_a_line_that_is_repeated_is_one_picture_and_is_named(tmp_path: Path) -> None:
    catalog = ImageListCatalog(written(tmp_path, "a.jpg,cat\nb.jpg,dog\na.jpg,cat\n"))
    assert catalog.count() == 2
    assert catalog.info().details["repeated lines left out"] == "1 (line 3)"


def test_two_lines_that_contradict_each_other_are_refused_by_number(tmp_path: Path) -> None:
    refused = refusal(tmp_path, "# list\na.jpg,cat\nb.jpg,dog\na.jpg,dog\n")
    assert "a.jpg: line 2 and line 4" in refused.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('a.jpg\n"b.jpg\n', "Line 2 of .* malformed"),
        ("a.jpg\n,cat\n", "Line 2 of .* no path"),
        ("a.jpg,cat\n".encode("utf-16"), "Line 1 of .* a NUL character"),
    ],
)
def test_a_malformed_line_is_refused_by_number(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(CatalogInvalid, match=words):
        rows(tmp_path, content)


def test_an_address_with_a_password_is_refused_by_number_and_the_password_is_not_told(tmp_path: Path) -> None:
    refused = refusal(tmp_path, "a.jpg\nhttps://user:s3cret@example.com/a.jpg?sig=X\n")
    assert "Line 2 of" in refused.message
    assert "user's name or a password" in refused.message
    assert "s3cret" not in f"{refused.message} {refused.remedy} {refused.__cause__}"
    assert [row.key for row in rows(tmp_path, "a@b.jpg\nhttps://example.com/a@b.jpg")] == [
        "a@b.jpg",
        "https://example.com/a@b.jpg",
    ]


def test_an_empty_list_has_no_pictures(tmp_path: Path) -> None:
    assert rows(tmp_path, "# nothing yet\n") == []


def test_a_slice_can_filter_by_label(tmp_path: Path) -> None:
    catalog = ImageListCatalog(written(tmp_path, "a.jpg,cat\nb.png,dog\nx/c.jpg\n"))
    assert [row.key for row in catalog.rows(Slice({"label": ("cat", "")}))] == ["a.jpg", "x/c.jpg"]
    assert catalog.facets() == {
        "label": {"": 1, "cat": 1, "dog": 1},
        "folder": {"": 2, "x": 1},
        "extension": {"jpg": 2, "png": 1},
    }


def test_the_revision_changes_with_the_line_and_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    (before,) = rows(tmp_path, "a.jpg,cat\n")
    (relabelled,) = rows(tmp_path, "a.jpg,dog\n")
    os.utime(tmp_path / "a.jpg", ns=(1, 1))
    (touched,) = rows(tmp_path, "a.jpg,cat\n")
    assert len({before.revision, relabelled.revision, touched.revision}) == 3


def test_a_list_that_is_changed_is_read_again_and_a_pass_under_way_is_not_disturbed(tmp_path: Path) -> None:
    catalog = ImageListCatalog(written(tmp_path, "a.jpg\nb.jpg\n"))
    under_way = catalog.rows()
    written(tmp_path, "c.jpg,a longer list\n")
    assert [row.key for row in catalog.rows()] == ["c.jpg"]
    assert [row.key for row in under_way] == ["a.jpg", "b.jpg"]


def test_a_list_in_another_encoding_finds_its_files(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(encoded(noise()))
    (row,) = rows(tmp_path, b"caf\xe9.png,caf\xe9\n")
    assert (row.key, row.payload["label"]) == ("caf\\xe9.png", "caf\\xe9")
    assert load(row, LocalFiles((tmp_path,))).image.size == (40, 30)


def test_a_list_that_is_missing_or_vanishes_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnavailable, match=r"none\.csv"):
        ImageListCatalog(tmp_path / "none.csv")
    catalog = ImageListCatalog(written(tmp_path, "a.jpg\n"))
    (tmp_path / "images.csv").unlink()
    with pytest.raises(CatalogUnavailable):
        catalog.count()


def test_settings_lead_to_the_catalog_of_their_kind(tmp_path: Path) -> None:
    location = str(written(tmp_path, "a.jpg\n"))
    with_list = open_catalog(CatalogSettings(kind="list", location=location))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.jpg").touch()
    with_folder = open_catalog(CatalogSettings(kind="folder", location=str(tmp_path), recursive=False))
    assert (with_list.info().kind, with_list.count()) == ("list", 1)
    assert (with_folder.info().kind, with_folder.count()) == ("folder", 0)


def test_memory_is_bounded_by_a_page_and_not_by_the_list(tmp_path: Path) -> None:
    import tracemalloc

    with (tmp_path / "images.csv").open("w") as stream:
        stream.writelines(f"{number}.jpg,{'x' * 600}\n" for number in range(12_000))
    tracemalloc.start()
    assert sum(1 for _ in ImageListCatalog(tmp_path / "images.csv").rows()) == 12_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000, "12,000 lines take about 15 MB"
