"""Plain JPEG files take the quick way and come out as Pillow decodes them; everything else takes Pillow's way."""

import io
from functools import partial

import numpy as np
import pytest
from PIL import Image

from console_core.catalog.decoding import decode
from console_core.catalog.encoded import JPEG, PILLOW, read_header
from console_core.catalog.jpeg import plain_frame
from console_core.errors import ImageEmpty, ImageTooLarge, ImageUnreadable, ImageUnsupported
from tests.unit.catalog.pictures import encoded, exif, noise


def smooth(width: int, height: int) -> Image.Image:
    return noise(7, 5).resize((width, height), Image.Resampling.BICUBIC)


PLAIN = {
    "as most cameras write it": encoded(smooth(301, 200), "JPEG", quality=90),
    "without chroma subsampling": encoded(smooth(64, 48), "JPEG", quality=95, subsampling=0),
    "subsampled in one direction": encoded(smooth(65, 49), "JPEG", subsampling=1),
    "progressive": encoded(smooth(120, 90), "JPEG", progressive=True),
    "grey": encoded(smooth(50, 40).convert("L"), "JPEG"),
    "with restart markers": encoded(smooth(90, 90), "JPEG", restart_marker_blocks=3),
    "with an EXIF block that says upright": encoded(smooth(40, 30), "JPEG", exif=exif(1)),
    "with a comment and a resolution": encoded(smooth(40, 30), "JPEG", comment=b"holiday", dpi=(72, 72)),
    "one pixel": encoded(smooth(1, 1), "JPEG"),
}
OTHERS = {
    "turned by EXIF": encoded(smooth(40, 30), "JPEG", exif=exif(6)),
    "CMYK": encoded(smooth(40, 30).convert("CMYK"), "JPEG"),
    "RGB in JPEG": encoded(smooth(40, 30), "JPEG", keep_rgb=True),
    "PNG": encoded(noise()),
    "transparent": encoded(noise().convert("RGBA")),
    "palette": encoded(noise().convert("P")),
    "16-bit": encoded(Image.fromarray(np.arange(1200, dtype=np.uint16).reshape(30, 40) * 50)),
    "WebP": encoded(noise(), "WEBP", lossless=True),
    "animated": encoded(noise(seed=1), "GIF", save_all=True, append_images=[noise(seed=2)]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_jpeg_is_decoded_without_pillow_to_the_same_pixels(name: str) -> None:
    header = read_header(PLAIN[name], name, quick=True)
    assert header.decoder == JPEG
    expected = np.asarray(decode(PLAIN[name], name))
    assert (header.height, header.width) == expected.shape[:2]
    np.testing.assert_array_equal(header.picture(), expected)
    assert header.decoder == JPEG


@pytest.mark.parametrize("name", OTHERS)
def test_everything_else_takes_pillows_way_and_is_counted_there(name: str) -> None:
    header = read_header(OTHERS[name], name, quick=True)
    assert header.decoder == PILLOW
    np.testing.assert_array_equal(header.picture(), np.asarray(decode(OTHERS[name], name)))


@pytest.mark.parametrize("name", [*PLAIN, *OTHERS])
def test_in_exact_mode_every_picture_is_pillows(name: str) -> None:
    data = (PLAIN | OTHERS)[name]
    header = read_header(data, name, quick=False)
    assert header.decoder == PILLOW
    assert header.image() == decode(data, name)


def first(least: tuple[int, int], _width: int, _height: int) -> tuple[int, int]:
    return least


def test_turbo_mode_leaves_detail_out_by_powers_of_two_while_enough_remains() -> None:
    data = encoded(smooth(1600, 1200), "JPEG")
    shapes = {
        least: np.asarray(read_header(data, "a.jpg", quick=True).picture(partial(first, least))).shape[:2]
        for least in [(1600, 1200), (801, 600), (800, 600), (300, 300), (200, 150), (10, 10), (4000, 4000)]
    }
    assert shapes == {
        (1600, 1200): (1200, 1600),
        (801, 600): (1200, 1600),
        (800, 600): (600, 800),
        (300, 300): (300, 400),
        (200, 150): (150, 200),
        (10, 10): (150, 200),
        (4000, 4000): (1200, 1600),
    }


@pytest.mark.parametrize("cut", [3, 20, 200, 1500, 4000])
def test_a_jpeg_that_is_cut_off_says_so_as_it_does_in_exact_mode(cut: int) -> None:
    data = PLAIN["as most cameras write it"][:cut]
    with pytest.raises(ImageUnreadable):
        read_header(data, "a.jpg", quick=True).picture()


def test_a_jpeg_with_a_damaged_middle_is_no_half_grey_picture() -> None:
    data = bytearray(encoded(smooth(301, 200), "JPEG", restart_marker_blocks=4))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff\xd3" * 20
    outcomes = []
    for quick in (True, False):
        header = read_header(bytes(data), "a.jpg", quick=quick)
        try:
            outcomes.append(np.asarray(header.picture() if quick else header.image()).tobytes())
        except ImageUnreadable as error:
            outcomes.append(error.message.encode())
    assert outcomes[0] == outcomes[1]


def test_what_is_no_picture_or_too_large_is_refused_before_a_pixel_is_decoded() -> None:
    with pytest.raises(ImageEmpty):
        read_header(b"", "a", quick=True)
    with pytest.raises(ImageUnsupported):
        read_header(b"<html>", "a", quick=True)
    for quick in (True, False):
        with pytest.raises(ImageTooLarge):
            read_header(PLAIN["progressive"], "a", quick=quick, max_pixels=1000)


def test_memory_is_asked_for_by_the_pixel() -> None:
    plain = read_header(PLAIN["as most cameras write it"], "a", quick=True)
    progressive = read_header(PLAIN["progressive"], "a", quick=True)
    other = read_header(OTHERS["PNG"], "b", quick=True)
    assert plain.weight == plain.width * plain.height * 3
    assert progressive.weight == 120 * 90 * 9
    assert other.weight == 40 * 30 * 13


def test_a_header_of_nonsense_is_not_plain() -> None:
    dice = np.random.default_rng(5)
    good = PLAIN["as most cameras write it"]
    for _ in range(300):
        data = bytearray(good)
        for place in dice.integers(2, 400, 8):
            data[place] = dice.integers(0, 256)
        frame = plain_frame(bytes(data))
        assert frame is None or min(frame.width, frame.height) > 0
    assert plain_frame(io.BytesIO(b"\xff\xd8\xff\xff\xff\xff").getvalue()) is None
