"""From a row to its picture: the first candidate that is one, else the most telling failure."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import pytest

from console_core.catalog.loading import load
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.errors import ImageError, ImageMissing, ImageTimeout, ImageUnreadable, ImageUnsupported
from tests.unit.catalog.pictures import encoded, noise


def row(*candidates: str) -> ImageRow:
    return ImageRow("7", candidates, {}, "r1")


@pytest.fixture
def images(tmp_path: Path) -> LocalFiles:
    data = encoded(noise(), "JPEG")
    (tmp_path / "good.jpg").write_bytes(data)
    (tmp_path / "other.png").write_bytes(encoded(noise(seed=2)))
    (tmp_path / "truncated.jpg").write_bytes(data[: len(data) // 2])
    (tmp_path / "page.jpg").write_bytes(b"<html>404</html>")
    (tmp_path / "empty.jpg").touch()
    return LocalFiles((tmp_path,))


def test_the_first_candidate_is_loaded_with_the_digest_of_its_bytes(images: LocalFiles, tmp_path: Path) -> None:
    loaded = load(row("good.jpg", "other.png"), images)
    assert loaded.path == "good.jpg"
    assert loaded.image.tobytes() == noise_as_jpeg(tmp_path)
    assert loaded.content == blake2b((tmp_path / "good.jpg").read_bytes(), digest_size=16).hexdigest()
    assert len(loaded.content) == 32


def noise_as_jpeg(folder: Path) -> bytes:
    from PIL import Image

    with Image.open(folder / "good.jpg") as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("bad", ["missing.jpg", "truncated.jpg", "page.jpg", "empty.jpg", "../outside.jpg"])
def test_a_candidate_that_cannot_be_used_makes_way_for_the_next(images: LocalFiles, bad: str) -> None:
    assert load(row(bad, "other.png", "good.jpg"), images).path == "other.png"


@pytest.mark.parametrize(
    ("candidates", "expected", "path"),
    [
        (("missing.jpg", "truncated.jpg", "gone.jpg"), ImageUnreadable, "truncated.jpg"),
        (("missing.jpg", "page.jpg", "empty.jpg"), ImageUnsupported, "page.jpg"),
        (("missing.jpg", "gone.jpg"), ImageMissing, "missing.jpg"),
    ],
)
def test_of_several_failures_the_most_telling_is_raised_and_the_others_are_listed(
    images: LocalFiles, candidates: tuple[str, ...], expected: type[ImageError], path: str
) -> None:
    with pytest.raises(expected) as raised:
        load(row(*candidates), images)
    assert type(raised.value) is expected
    assert raised.value.path == path
    assert raised.value.remedy
    for other in candidates:
        assert other in raised.value.message


def test_a_picture_that_did_not_arrive_in_time_is_not_called_missing(images: LocalFiles) -> None:
    class Slow(LocalFiles):
        def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
            if path == "slow.jpg":
                raise ImageTimeout("slow.jpg did not arrive.", "Try again.", path=path)
            return super().read(path, make_room)

    with pytest.raises(ImageTimeout):
        load(row("truncated.jpg", "slow.jpg", "missing.jpg"), Slow(images.roots))


def test_a_row_without_a_path_is_missing(images: LocalFiles) -> None:
    with pytest.raises(ImageMissing, match="no path for 7"):
        load(row(), images)


def test_a_truncated_picture_is_unreadable_and_its_neighbour_is_not(images: LocalFiles) -> None:
    with pytest.raises(ImageUnreadable):
        load(row("truncated.jpg"), images)
    assert load(row("good.jpg"), images).image.size == (40, 30)
