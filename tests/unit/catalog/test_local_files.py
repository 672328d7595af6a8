"""The image store of local folders: it reads what lies in its roots, and says why it does not read the rest."""

import os
from pathlib import Path

import pytest

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.names import on_disk, printable
from console_core.catalog.web_addresses import ImageOutside
from console_core.errors import (
    ImageEmpty,
    ImageError,
    ImageForbidden,
    ImageMissing,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "cats").mkdir(parents=True)
    (folder / "cats" / "a.jpg").write_bytes(b"cat")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "images-old").mkdir()
    (tmp_path / "images-old" / "a.jpg").write_bytes(b"old")
    return folder


def failure(store: LocalFiles, path: str) -> ImageError:
    with pytest.raises(ImageError) as raised:
        store.read(path)
    assert raised.value.message
    assert raised.value.remedy
    assert raised.value.path == path
    return raised.value


@pytest.mark.parametrize("path", ["cats/a.jpg", "./cats/../cats/a.jpg", "{root}/cats/a.jpg"])
def test_a_path_in_the_root_is_read(root: Path, path: str) -> None:
    assert LocalFiles((root,)).read(path.format(root=root)) == b"cat"


def test_an_absolute_path_may_lie_in_any_root_and_a_relative_one_starts_from_the_first(root: Path) -> None:
    store = LocalFiles((root, root.parent / "images-old"))
    assert store.read(str(root.parent / "images-old" / "a.jpg")) == b"old"
    assert type(failure(store, "a.jpg")) is ImageMissing


@pytest.mark.parametrize(
    "path",
    ["../secret.txt", "cats/../../secret.txt", "/etc/passwd", "{parent}/secret.txt", "{parent}/images-old/a.jpg", ".."],
)
def test_a_path_that_leads_outside_is_forbidden_and_the_roots_are_named(root: Path, path: str) -> None:
    refused = failure(LocalFiles((root,)), path.format(parent=root.parent))
    assert type(refused) is ImageOutside
    assert str(root) in refused.message


def test_a_link_that_leads_outside_is_forbidden(root: Path) -> None:
    (root / "cats" / "link.jpg").symlink_to(root.parent / "secret.txt")
    (root / "away").symlink_to(root.parent)
    store = LocalFiles((root,))
    assert type(failure(store, "cats/link.jpg")) is ImageOutside
    assert type(failure(store, "away/secret.txt")) is ImageOutside


def test_a_link_that_stays_inside_is_followed_and_so_is_a_root_that_is_a_link(root: Path) -> None:
    (root / "link.jpg").symlink_to("cats/a.jpg")
    current = root.parent / "current"
    current.symlink_to(root)
    assert LocalFiles((root,)).read("link.jpg") == b"cat"
    assert LocalFiles((current,)).read("link.jpg") == b"cat"
    assert LocalFiles((current,)).read(f"{root}/cats/a.jpg") == b"cat"


@pytest.mark.parametrize("path", ["file:///etc/passwd", "https://example.org/a.jpg", "FILE://cats/a.jpg"])
def test_an_address_is_forbidden(root: Path, path: str) -> None:
    assert type(failure(LocalFiles((root,)), path)) is ImageOutside


@pytest.mark.parametrize("path", ["cats/b.jpg", "cats/a.jpg/b.jpg", "x" * 300 + ".jpg", "nul\0.jpg", "lone \ud800.jpg"])
def test_what_does_not_exist_is_missing(root: Path, path: str) -> None:
    assert type(failure(LocalFiles((root,)), path)) is ImageMissing


def test_a_root_that_does_not_exist_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "unmounted") in failure(LocalFiles((tmp_path / "unmounted",)), "a.jpg").remedy


def test_no_root_means_that_nothing_may_be_read() -> None:
    assert type(failure(LocalFiles(()), "a.jpg")) is ImageForbidden


def test_an_empty_file_a_folder_and_a_pipe_are_told_apart(root: Path) -> None:
    (root / "empty.jpg").touch()
    os.mkfifo(root / "pipe.jpg")
    store = LocalFiles((root,))
    assert type(failure(store, "empty.jpg")) is ImageEmpty
    assert "a folder" in failure(store, "cats").message
    assert type(failure(store, "")) is ImageUnsupported
    assert type(failure(store, "pipe.jpg")) is ImageUnsupported


def test_a_file_may_have_as_many_bytes_as_allowed_and_not_one_more(root: Path) -> None:
    (root / "large.jpg").write_bytes(bytes(1001))
    assert len(LocalFiles((root,), max_bytes=1001).read("large.jpg")) == 1001
    assert type(failure(LocalFiles((root,), max_bytes=1000), "large.jpg")) is ImageTooLarge


def test_room_is_made_for_the_bytes_of_a_file_before_they_are_read_and_for_no_others(root: Path) -> None:
    (root / "large.jpg").write_bytes(bytes(1001))
    store, rooms = LocalFiles((root,), max_bytes=1000), list[int]()
    assert store.read("cats/a.jpg", rooms.append) == b"cat"
    for path in ("large.jpg", "missing.jpg", "cats"):
        with pytest.raises(ImageError):
            store.read(path, rooms.append)
    assert rooms == [3]


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end_or_refused(root: Path) -> None:
    def grows(_size: int) -> None:
        with (root / "cats" / "a.jpg").open("ab") as file:
            file.write(b"!" * 500)

    store = LocalFiles((root,), max_bytes=1000)
    assert len(store.read("cats/a.jpg", grows)) == 503
    with pytest.raises(ImageTooLarge):
        store.read("cats/a.jpg", grows)


def test_a_root_that_becomes_a_link_to_elsewhere_is_followed(root: Path) -> None:
    current = root.parent / "current"
    current.symlink_to(root)
    store = LocalFiles((current,))
    assert store.read("cats/a.jpg") == b"cat"
    current.unlink()
    current.symlink_to(root.parent / "images-old")
    assert store.read("a.jpg") == b"old"


def test_a_circle_of_links_is_unreadable(root: Path) -> None:
    (root / "circle.jpg").symlink_to("circle.jpg")
    assert type(failure(LocalFiles((root,)), "circle.jpg")) is ImageUnreadable


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_read_permission_is_forbidden(root: Path) -> None:
    (root / "cats" / "a.jpg").chmod(0)
    assert type(failure(LocalFiles((root,)), "cats/a.jpg")) is ImageForbidden


@pytest.mark.parametrize(
    ("number", "expected"), [(1, ImageForbidden), (13, ImageForbidden), (5, ImageUnreadable), (116, ImageUnreadable)]
)
def test_the_disks_answers_are_told_apart(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[ImageError]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    refused = failure(LocalFiles((root,)), "cats/a.jpg")
    assert type(refused) is expected
    assert os.strerror(number) in refused.message


def test_a_file_whose_name_is_not_utf8_is_found_by_its_printable_name(root: Path) -> None:
    raw = b"caf\xe9.jpg"
    Path(os.fsdecode(os.fsencode(root) + b"/" + raw)).write_bytes(b"coffee")
    name = printable(os.fsdecode(raw))
    assert name == "caf\\xe9.jpg"
    assert os.fsencode(on_disk(name)) == raw
    assert LocalFiles((root,)).read(name) == b"coffee"
    assert printable("日本 ü.jpg") == on_disk("日本 ü.jpg") == "日本 ü.jpg"
