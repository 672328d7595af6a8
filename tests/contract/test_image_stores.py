"""What every image store promises: folders, http servers and S3."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest

from console_core.catalog.local_files import MEBIBYTE
from console_core.catalog.opening import open_images
from console_core.catalog.types import ImageStore
from console_core.catalog.web_addresses import ImageOutside
from console_core.errors import ImageEmpty, ImageError, ImageMissing, ImageTooLarge
from console_core.settings import HttpSettings, ImageSettings, S3Settings
from tests.nanio_server import KEY, SECRET, ObjectStore, storing
from tests.picture_server import PictureServer, serving

NAMES = ("a b.jpg", "100%.jpg", "a%20b.jpg", "käse/ø.jpg", "what?.jpg", "#1.jpg", "a+b&c=d.jpg", 'it\'s "it".jpg')


class Place(Protocol):
    """Somewhere with two roots, `first` and `second`, and something beside them."""

    settings: ImageSettings

    def put(self, name: str, data: bytes) -> None:
        """Into `first/`, `second/`, or wherever else the name begins with."""
        ...

    def absolute(self, name: str) -> str: ...


class OnDisk:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for root in ("first", "second"):
            (folder / root).mkdir()
        self.settings = ImageSettings((str(folder / "first"), str(folder / "second")), largest=1)

    def put(self, name: str, data: bytes) -> None:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def absolute(self, name: str) -> str:
        return str(self._folder / name)


class OnTheWeb:
    def __init__(self, server: PictureServer) -> None:
        self._server = server
        roots = (f"{server.url}/first/", f"{server.url}/second/")
        self.settings = ImageSettings(
            roots, retries=0, largest=1, http=HttpSettings((("Authorization", f"Bearer {SECRET}"),))
        )

    def put(self, name: str, data: bytes) -> None:
        self._server.pictures[f"/{name}"] = data

    def absolute(self, name: str) -> str:
        return f"{self._server.url}/{quote(name)}"


class InAnObjectStore:
    def __init__(self, store: ObjectStore, bucket: str) -> None:
        self._store, self._bucket = store, bucket
        store.bucket(bucket)
        self.settings = ImageSettings(
            (f"s3://{bucket}/first/", f"s3://{bucket}/second/"),
            retries=0,
            largest=1,
            s3=S3Settings(store.url, key=KEY, secret=SECRET, region="us-east-1"),
        )

    def put(self, name: str, data: bytes) -> None:
        self._store.put(self._bucket, name, data)

    def absolute(self, name: str) -> str:
        return f"s3://{self._bucket}/{name}"


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with storing(tmp_path_factory.mktemp("buckets")) as store:
        yield store


@pytest.fixture(params=["folder", "http", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "folder":
        yield OnDisk(tmp_path)
    elif request.param == "http":
        with serving() as server:
            yield OnTheWeb(server)
    else:
        yield InAnObjectStore(request.getfixturevalue("object_store"), f"b{abs(hash(str(tmp_path)))}")


@pytest.fixture
def images(place: Place) -> Iterator[ImageStore]:
    opened = open_images(place.settings)
    yield opened
    opened.close()


def failure(images: ImageStore, path: str) -> ImageError:
    with pytest.raises(ImageError) as raised:
        images.read(path)
    assert raised.value.path == path
    assert raised.value.message
    assert raised.value.remedy
    assert SECRET not in f"{raised.value}{raised.value!r}{raised.value.__cause__!r}"
    return raised.value


def test_a_relative_path_starts_from_the_first_root_and_an_absolute_one_may_lie_in_any(
    place: Place, images: ImageStore
) -> None:
    place.put("first/cats/a.jpg", b"cat")
    place.put("second/a.jpg", b"other")
    assert images.read("cats/a.jpg") == b"cat"
    assert images.read("./cats/../cats/a.jpg") == b"cat"
    assert images.read(place.absolute("first/cats/a.jpg")) == b"cat"
    assert images.read(place.absolute("second/a.jpg")) == b"other"
    assert type(failure(images, "a.jpg")) is ImageMissing


@pytest.mark.parametrize(
    "path",
    ["../beside.jpg", "cats/../../beside.jpg", "..", "%2e%2e/beside.jpg", "%252e%252e/beside.jpg", "x/..%2f..%2fb.jpg"],
)
def test_no_path_leads_outside_the_roots_however_it_is_spelled(place: Place, images: ImageStore, path: str) -> None:
    place.put("beside.jpg", b"secret")
    found = failure(images, path)
    if isinstance(place, OnDisk) and "%" in path:
        assert type(found) is ImageMissing  # on a disk these are names
    else:
        assert type(found) is ImageOutside
        assert "outside the image roots" in found.message
    if not isinstance(place, OnDisk):
        assert type(failure(images, place.absolute("first") + "/" + path)) is ImageOutside


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "http://other.example/a.jpg",
        "s3://other/a.jpg",
        "ftp://x/a.jpg",
        "gs://b/k",
    ],
)
def test_what_lies_elsewhere_is_refused_by_name(images: ImageStore, path: str) -> None:
    found = failure(images, path)
    assert type(found) is ImageOutside
    assert path in found.message


def test_a_root_is_not_the_beginning_of_a_name(place: Place, images: ImageStore) -> None:
    place.put("first-old/a.jpg", b"old")
    assert type(failure(images, place.absolute("first-old/a.jpg"))) is ImageOutside


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_asked_for_as_it_is(place: Place, images: ImageStore, name: str) -> None:
    if isinstance(place, InAnObjectStore) and name == "a%20b.jpg":
        name = "a%zz.jpg"  # the store decodes this one before it checks what was signed, and refuses it
    place.put(f"first/{name}", name.encode())
    assert images.read(name) == name.encode()


@pytest.mark.parametrize("path", ["gone.jpg", "no/such/folder/a.jpg", "a\udcff.jpg"])
def test_what_is_not_there_is_missing(images: ImageStore, path: str) -> None:
    assert type(failure(images, path)) is ImageMissing


def test_a_file_without_a_byte_is_empty(place: Place, images: ImageStore) -> None:
    place.put("first/empty.jpg", b"")
    assert type(failure(images, "empty.jpg")) is ImageEmpty


def test_as_much_as_is_allowed_is_read_and_not_a_byte_more(place: Place, images: ImageStore) -> None:
    place.put("first/largest.jpg", bytes(MEBIBYTE))
    place.put("first/larger.jpg", bytes(MEBIBYTE + 1))
    assert len(images.read("largest.jpg")) == MEBIBYTE
    rooms: list[int] = []
    with pytest.raises(ImageTooLarge, match="MiB"):
        images.read("larger.jpg", rooms.append)
    assert rooms == []


def test_room_is_made_for_the_size_before_the_bytes_are_read(place: Place, images: ImageStore) -> None:
    place.put("first/a.jpg", bytes(300_000))
    rooms: list[int] = []
    assert len(images.read("a.jpg", rooms.append)) == 300_000
    assert rooms == [300_000]


def test_many_threads_read_each_its_own(place: Place, images: ImageStore) -> None:
    for number in range(20):
        place.put(f"first/{number}.jpg", str(number).encode() * 1000)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: images.read(f"{number % 20}.jpg"), range(60)))
    assert found == [str(number % 20).encode() * 1000 for number in range(60)]


def test_another_process_gets_a_store_of_the_same(place: Place, images: ImageStore) -> None:
    place.put("first/a.jpg", b"cat")
    other: ImageStore = pickle.loads(pickle.dumps(images))
    assert other.read("a.jpg") == b"cat"
    assert (other.location, other.readers) == (images.location, images.readers)
    other.close()


def test_a_server_is_worth_more_readers_than_a_disk(place: Place, images: ImageStore) -> None:
    assert images.readers == (4 if isinstance(place, OnDisk) else place.settings.at_once)


def test_when_something_changed_is_told_or_not_and_never_fails(place: Place, images: ImageStore) -> None:
    place.put("first/a.jpg", b"cat")
    assert images.changed_at("gone.jpg") is None
    assert images.changed_at("/etc/passwd") is None
    assert (images.changed_at("a.jpg") is not None) == isinstance(place, OnDisk)


def test_a_root_that_answers_is_no_trouble(place: Place, images: ImageStore) -> None:
    place.put("first/a.jpg", b"cat")
    assert images.trouble(place.settings.roots[0]) == ("", "")


def test_no_secret_is_told(place: Place, images: ImageStore) -> None:
    assert SECRET not in repr(place.settings)
    assert SECRET not in images.location
    assert SECRET not in repr(images)
    for root in place.settings.roots:
        assert root.rstrip("/") in images.location


def test_it_can_be_closed_twice(images: ImageStore) -> None:
    images.close()
    images.close()


def test_roots_of_all_kinds_stand_side_by_side(object_store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    disk = OnDisk(tmp_path / "disk")
    with serving() as server:
        web, bucket = OnTheWeb(server), InAnObjectStore(object_store, "side-by-side")
        everywhere: list[tuple[Place, str]] = [(disk, "OnDisk"), (web, "OnTheWeb"), (bucket, "InAnObjectStore")]
        for place, name in everywhere:
            place.put("first/a.jpg", name.encode())
        for leading, name in everywhere:
            roots = [*leading.settings.roots, *(root for place, _ in everywhere for root in place.settings.roots)]
            settings = replace(web.settings, roots=tuple(dict.fromkeys(roots)), s3=bucket.settings.s3)
            images = open_images(settings)
            assert images.read("a.jpg") == name.encode()
            for place, other in everywhere:
                assert images.read(place.absolute("first/a.jpg")) == other.encode()
            assert type(failure(images, "ftp://host/a.jpg")) is ImageOutside
            images.close()
