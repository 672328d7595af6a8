"""Decoding: what a person sees, in RGB, or the reason why there is nothing to see."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from console_core.catalog.decoding import decode
from console_core.errors import ImageEmpty, ImageTooLarge, ImageUnreadable, ImageUnsupported
from tests.unit.catalog.pictures import encoded, exif, noise

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")


def plain(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


@pytest.mark.parametrize("kind", FORMATS)
def test_an_ordinary_picture_has_the_pixels_that_pillow_gives(kind: str) -> None:
    data = encoded(noise(), kind)
    image = decode(data, "a")
    assert image.mode == "RGB"
    assert image.tobytes() == plain(data).tobytes()


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 30, "subsampling": 2}, {"optimize": True}])
def test_every_kind_of_jpeg_has_the_pixels_that_pillow_gives(options: dict[str, Any]) -> None:
    data = encoded(noise(301, 203), "JPEG", **options)
    assert decode(data, "a").tobytes() == plain(data).tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_turned_as_its_exif_orientation_says(kind: str, orientation: int, order: str) -> None:
    data = encoded(noise(), kind, exif=exif(orientation, order))
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert decode(data, "a").tobytes() == expected.convert("RGB").tobytes()
    assert decode(data, "a").size == ((30, 40) if orientation > 4 else (40, 30))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_tiff_is_turned_once_and_not_twice(orientation: int) -> None:
    data = encoded(noise(), "TIFF", tiffinfo={0x0112: orientation})
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert decode(data, "a").tobytes() == expected.convert("RGB").tobytes()


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x87\x69\0\4\0\0\xff\xff\xff\xff\xff\xff" * 3,
        b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x63\0\0\0",
        exif(6)[:20],
        b"nonsense",
    ],
)
def test_a_damaged_exif_block_is_no_reason_to_turn_or_to_complain(block: bytes) -> None:
    data = encoded(noise(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    assert decode(data[:2] + segment + data[2:], "a").tobytes() == plain(data).tobytes()


def test_cmyk_is_converted() -> None:
    data = encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95)
    red, green, blue = np.asarray(decode(data, "a")).reshape(-1, 3).mean(axis=0)
    assert red > 240
    assert max(green, blue) < 15


def test_sixteen_bits_of_grey_are_scaled_and_not_clipped_to_white() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    data = encoded(Image.fromarray(ramp))
    assert np.asarray(plain(data)).min(axis=2).max() == 255
    expected = np.round(ramp / 257).astype(np.uint8)
    decoded = np.asarray(decode(data, "a"))
    assert all(np.array_equal(decoded[:, :, channel], expected) for channel in range(3))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 100, 255]], np.int32), [0, 100, 255]),
        (np.array([[0, 257 * 100, 65535]], np.int32), [0, 100, 255]),
        (np.array([[-5, 502_000, 1_000_000]], np.int32), [0, 128, 255]),
        (np.array([[0, 0.5, 1]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, 100, 255]], np.float32), [0, 100, 255]),
        (np.array([[0, 0, 0]], np.float32), [0, 0, 0]),
    ],
)
def test_deeper_grey_is_scaled_to_eight_bits(values: np.ndarray[Any, Any], expected: list[int]) -> None:
    decoded = decode(encoded(Image.fromarray(values), "TIFF"), "a")
    assert np.asarray(decoded)[0, :, 0].tolist() == expected


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_transparency_is_dropped_as_pillow_does(mode: str) -> None:
    picture = noise(mode="RGB").convert(mode)
    if mode in ("LA", "RGBA"):
        picture.putalpha(noise(seed=2, mode="L"))
    data = encoded(picture)
    assert decode(data, "a").tobytes() == plain(data).tobytes()


def test_a_palette_with_transparent_colours_is_decoded_without_a_warning() -> None:
    palette = noise().convert("P")
    data = encoded(palette, transparency=bytes(range(256)))
    assert decode(data, "a").tobytes() == palette.convert("RGB").tobytes()
    assert decode(encoded(palette, "GIF", transparency=7), "a").size == (40, 30)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_stands_for_an_animation(kind: str) -> None:
    first, second = Image.new("RGB", (16, 16), (200, 0, 0)), Image.new("RGB", (16, 16), (0, 0, 200))
    data = encoded(first, kind, save_all=True, append_images=[second], duration=50)
    red, _, blue = np.asarray(decode(data, "a")).reshape(-1, 3).mean(axis=0)
    assert red > 190
    assert blue < 10


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_is_cut_off_is_unreadable(kind: str, share: float) -> None:
    data = encoded(noise(120, 90), kind)
    with pytest.raises(ImageUnreadable, match=r"photos/a\.jpg is") as raised:
        decode(data[: int(len(data) * share)], "photos/a.jpg")
    assert raised.value.path == "photos/a.jpg"
    assert raised.value.remedy


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_is_cut_off_within_its_header_is_unreadable(kind: str) -> None:
    with pytest.raises(ImageUnreadable):
        decode(encoded(noise(), kind)[:20], "a")


@pytest.mark.parametrize("seed", range(30))
def test_whatever_damage_a_picture_has_there_is_a_picture_or_an_image_error(seed: int) -> None:
    generator = np.random.default_rng(seed)
    for kind in FORMATS:
        data = bytearray(encoded(noise(), kind))
        for place in generator.integers(0, len(data), 8):
            data[place] = generator.integers(0, 256)
        try:
            assert decode(bytes(data), "a").mode == "RGB"
        except (ImageUnreadable, ImageUnsupported, ImageTooLarge) as failure:
            assert failure.remedy  # noqa: PT017


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><title>404</title>", "an HTML page"),
        (b"\xef\xbb\xbf \n<HTML><body>", "an HTML page"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML error message"),
        (b'{"error": "not found"}', "a JSON document"),
        (b"%PDF-1.7", "a PDF document"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "an MP4 video"),
        (b"hello", "text"),
        (bytes(64), "zero bytes only"),
        (b"\x01\x02\x03", "data that begins with 01 02 03"),
    ],
)
def test_what_is_no_picture_is_unsupported_and_named(data: bytes, words: str) -> None:
    with pytest.raises(ImageUnsupported, match=words):
        decode(data, "page.jpg")


def test_no_bytes_are_an_empty_picture() -> None:
    with pytest.raises(ImageEmpty):
        decode(b"", "a")


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises more pixels than it has."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_a_picture_of_too_many_pixels_is_too_large_before_any_is_decoded() -> None:
    with pytest.raises(ImageTooLarge, match=r"20000 × 10001 pixels, more than the 200 megapixels"):
        decode(png_header(20_000, 10_001), "a")
    with pytest.raises(ImageTooLarge, match="100 megapixels"):
        decode(png_header(20_000, 10_000), "a", max_pixels=100_000_000)


def test_a_hundred_megapixels_are_no_reason_for_a_warning() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
    assert Image.MAX_IMAGE_PIXELS < 100_000_000
    data = encoded(Image.new("1", (10_000, 10_000)))
    assert decode(data, "a").size == (10_000, 10_000)
