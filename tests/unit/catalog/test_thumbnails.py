"""Thumbnails: small, cached, bounded, and only ever a convenience."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from console_core.catalog import thumbnails as thumbnails_module
from console_core.catalog.decoding import decode
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.thumbnails import Thumbnail, Thumbnails
from console_core.catalog.types import ImageRow
from console_core.errors import ImageMissing, ImageUnreadable
from tests.unit.catalog.pictures import encoded, noise


class CountedFiles(LocalFiles):
    """Local files that know how often they were read, and how often at once."""

    reads = 0
    now = 0
    most = 0
    lock = threading.Lock()

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        with self.lock:
            self.reads += 1
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            threading.Event().wait(0.005)
            return super().read(path, make_room)
        finally:
            with self.lock:
                self.now -= 1


@pytest.fixture
def images(tmp_path: Path) -> CountedFiles:
    (tmp_path / "images").mkdir()
    for number in range(24):
        (tmp_path / "images" / f"{number}.png").write_bytes(encoded(noise(200, 150, seed=number)))
    (tmp_path / "images" / "cut.png").write_bytes(encoded(noise(400, 300))[:5000])
    return CountedFiles((tmp_path / "images",))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "thumbnails"


def row(number: int | str = 0, revision: str = "r1") -> ImageRow:
    return ImageRow(str(number), (f"{number}.png",), {}, revision)


def picture(thumbnail: Thumbnail) -> Image.Image:
    image = Image.open(io.BytesIO(thumbnail.data))
    assert image.format == "WEBP"
    return image


def files(cache: Path) -> list[Path]:
    return [file for file in cache.rglob("*") if file.is_file()]


def test_pictures_of_a_server_are_fetched_many_at_once_and_decoded_two_at_a_time(
    images: CountedFiles, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, lock, now, most = threading.Barrier(8), threading.Lock(), 0, 0

    class Far(CountedFiles):
        readers = 8

        def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
            together.wait(60)
            return super().read(path, make_room)

    def counted(data: bytes, path: str) -> Image.Image:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        try:
            threading.Event().wait(0.005)
            return decode(data, path)
        finally:
            with lock:
                now -= 1

    monkeypatch.setattr("console_core.catalog.loading.decode", counted)
    thumbnails = Thumbnails(cache, Far(images.roots))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(thumbnails.get, map(row, range(8))))
    assert most == 2


def test_a_thumbnail_is_a_small_webp_picture_of_the_same_shape(images: CountedFiles, cache: Path) -> None:
    thumbnails = Thumbnails(cache, images)
    assert picture(thumbnails.get(row())).size == (160, 120)
    assert picture(thumbnails.get(row(), size=80)).size == (80, 60)
    assert picture(thumbnails.get(row(), size=1600)).size == (200, 150)


def test_it_is_made_once_and_then_comes_from_the_cache_even_of_another_process(
    images: CountedFiles, cache: Path
) -> None:
    first = Thumbnails(cache, images).get(row())
    assert images.reads == 1
    assert Thumbnails(cache, images).get(row()) == first
    assert images.reads == 1


def test_another_revision_size_or_key_is_another_thumbnail(images: CountedFiles, cache: Path) -> None:
    thumbnails = Thumbnails(cache, images)
    tags = {thumbnails.get(row()).etag, thumbnails.get(row(1)).etag, thumbnails.get(row(revision="r2")).etag}
    assert len(tags | {thumbnails.get(row(), size=80).etag}) == 4
    assert images.reads == 4
    assert thumbnails.etag(row()) in tags
    assert images.reads == 4


def test_an_absurd_size_is_brought_into_range(images: CountedFiles, cache: Path) -> None:
    thumbnails = Thumbnails(cache, images)
    assert picture(thumbnails.get(row(), size=-3)).size == (16, 12)
    assert thumbnails.etag(row(), size=10**9) == thumbnails.etag(row(), size=2048)


@pytest.mark.parametrize("damage", [b"", b"RIFF", b"RIFF\xff\0\0\0WEBP", b"nonsense"])
def test_a_damaged_cache_file_is_made_anew(images: CountedFiles, cache: Path, damage: bytes) -> None:
    thumbnails = Thumbnails(cache, images)
    first = thumbnails.get(row())
    (file,) = files(cache)
    file.write_bytes(damage)
    assert thumbnails.get(row()) == first
    assert file.read_bytes() == first.data


def test_unusable_pictures_raise_their_image_error_and_are_not_cached(images: CountedFiles, cache: Path) -> None:
    thumbnails = Thumbnails(cache, images)
    with pytest.raises(ImageUnreadable):
        thumbnails.get(row("cut"))
    with pytest.raises(ImageMissing):
        thumbnails.get(row("gone"))
    assert files(cache) == []


def test_a_cache_that_cannot_be_written_only_makes_things_slower(images: CountedFiles, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    thumbnails = Thumbnails(tmp_path / "file" / "cache", images)
    assert thumbnails.get(row()) == thumbnails.get(row())
    assert images.reads == 2


def test_a_full_disk_leaves_no_half_written_file(
    images: CountedFiles, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert picture(Thumbnails(cache, images).get(row())).size == (160, 120)
    assert files(cache) == []


def test_the_cache_is_bounded_and_the_longest_unused_go_first(images: CountedFiles, cache: Path) -> None:
    one = len(Thumbnails(cache, images).get(row()).data)
    bound = 8 * one
    thumbnails = Thumbnails(cache, images, max_bytes=bound)
    for number in range(24):
        thumbnails.get(row(number))
        thumbnails.get(row(0))
        assert sum(file.stat().st_size for file in files(cache)) <= bound
    reads = images.reads
    thumbnails.get(row(0))
    thumbnails.get(row(23))
    assert images.reads == reads, "what was just used is still there"
    thumbnails.get(row(1))
    assert images.reads == reads + 1


def test_many_threads_get_whole_pictures_and_few_are_decoded_at_once(images: CountedFiles, cache: Path) -> None:
    thumbnails = Thumbnails(cache, images, max_bytes=40_000, decoders=2)
    with ThreadPoolExecutor(12) as pool:
        made = list(pool.map(lambda number: thumbnails.get(row(number % 24)), range(96)))
    assert all(picture(thumbnail).size == (160, 120) for thumbnail in made)
    assert images.most == 2
    assert made[:24] == made[24:48] == made[72:]


def test_one_picture_that_everyone_wants_is_not_decoded_by_everyone(images: CountedFiles, cache: Path) -> None:
    thumbnails = Thumbnails(cache, images, decoders=2)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: thumbnails.get(row()), range(12)))
    assert images.reads <= 2


def test_a_thumbnail_is_encoded_well_enough_to_judge_by(images: CountedFiles, cache: Path, tmp_path: Path) -> None:
    smooth = Image.linear_gradient("L").convert("RGB")
    (tmp_path / "images" / "smooth.png").write_bytes(encoded(smooth))
    thumbnail = picture(Thumbnails(cache, images).get(replace(row("smooth")))).convert("L")
    assert thumbnail.getpixel((80, 5)) < 20  # type: ignore[operator]
    assert thumbnail.getpixel((80, 154)) > 235  # type: ignore[operator]
    assert thumbnails_module.SIZE == 160
