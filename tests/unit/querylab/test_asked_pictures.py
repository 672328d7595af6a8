"""What an address can say of a question: columns as text, and pictures that are kept under a digest."""

import os
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from console_core.errors import ImageUnsupported
from console_core.querylab.asked_pictures import DAYS, EDGE, AskedPictures
from console_core.querylab.column_text import read, written
from console_core.querylab.comparison import Column
from console_core.vectorstore.ways import Search


def picture(seed: int, size: tuple[int, int] = (40, 30), rotated: bool = False) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, size=(3, 4, 3), dtype=np.uint8)
    stream = BytesIO()
    exif = Image.Exif()
    if rotated:
        exif[0x0112] = 6
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(stream, "PNG", exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["images", "images@clip", "a~exact", "a~0.5", "a~exact~1", "~", "a~usual", "a~~"])
def test_a_column_is_the_same_after_it_was_written_and_read(name: str) -> None:
    columns = [Column(name, way, threshold) for way in Search for threshold in (None, 0.0, 0.1 + 0.2, -12.5)]
    assert [read(written(column)) for column in columns] == columns
    assert len({written(column) for column in columns}) == len(columns)


def test_a_column_as_usual_is_its_name_and_nothing_of_an_unknown_way_is_lost() -> None:
    assert written(Column("images")) == "images"
    assert written(Column("images", Search.WITHOUT_RESCORING, 0.31)) == "images~without-rescoring~0.31"
    assert read("images~quickly") == Column("images~quickly")
    assert read("images~nan") == Column("images~nan")


def test_a_picture_is_kept_once_upright_and_small_and_is_there_for_another_process(tmp_path: Path) -> None:
    kept = AskedPictures(tmp_path / "asked")
    digest = kept.keep(picture(1, (3000, 1500), rotated=True), "large.png")
    assert kept.keep(picture(1, (3000, 1500), rotated=True), "again.png") == digest
    found = AskedPictures(tmp_path / "asked").of(digest)
    assert found is not None
    assert (found.mode, found.size) == ("RGB", (EDGE // 2, EDGE))
    assert len(list((tmp_path / "asked").iterdir())) == 1


def test_what_is_no_digest_or_not_kept_is_no_picture(tmp_path: Path) -> None:
    kept = AskedPictures(tmp_path / "asked")
    (tmp_path / "secret.jpg").write_bytes(picture(1))
    assert kept.of("../secret") is None
    assert kept.of("0" * 20) is None
    digest = kept.keep(picture(2), "one")
    (tmp_path / "asked" / f"{digest}.jpg").write_bytes(b"broken")
    assert kept.of(digest) is None
    with pytest.raises(ImageUnsupported):
        kept.keep(b"no picture at all", "note.txt")


def test_pictures_go_that_were_not_asked_with_for_longest(tmp_path: Path) -> None:
    kept = AskedPictures(tmp_path, most=3)
    digests = [kept.keep(picture(seed), "one") for seed in range(3)]
    for age, digest in enumerate(digests):
        os.utime(tmp_path / f"{digest}.jpg", (time.time() - 100 + age,) * 2)
    assert kept.of(digests[0]) is not None, "which marks it as asked with now"
    last = kept.keep(picture(9), "one")
    assert [kept.of(digest) is not None for digest in [*digests, last]] == [True, False, True, True]
    size = (tmp_path / f"{last}.jpg").stat().st_size
    AskedPictures(tmp_path, most_bytes=size + 1).keep(picture(9), "one")
    assert len(list(tmp_path.iterdir())) == 1


def test_a_picture_is_not_found_once_its_days_are_over(tmp_path: Path) -> None:
    kept = AskedPictures(tmp_path)
    digest = kept.keep(picture(1), "one")
    os.utime(tmp_path / f"{digest}.jpg", (time.time() - DAYS * 86_400 - 60,) * 2)
    assert kept.of(digest) is None
    kept.keep(picture(2), "other")
    assert not (tmp_path / f"{digest}.jpg").exists()
