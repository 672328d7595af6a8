"""Pictures to measure with: one's own, or synthetic ones with as many bytes a pixel as photographs have."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from console_core.catalog.folder import EXTENSIONS

SIZES = {"vga": (640, 480), "fhd": (1920, 1080), "12mp": (4000, 3000)}
DISTINCT = {"vga": 14, "fhd": 8, "12mp": 4}


@dataclass(frozen=True, slots=True)
class Pictures:
    """Files of a folder, their mean size in bytes, bytes a pixel, and how many there are of each format."""

    folder: Path
    files: tuple[str, ...]
    mean_bytes: float
    bytes_per_pixel: float
    formats: dict[str, int]

    def __str__(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in self.formats.items())
        return f"{kinds}, {self.mean_bytes / 1e3:,.0f} kB each, {self.bytes_per_pixel:.2f} bytes a pixel"


def pictures(wanted: str, into: Path) -> Pictures:
    """`synthetic:vga`, `synthetic:fhd`, `synthetic:12mp`, `synthetic:mix`, or a folder."""
    kind, _, name = wanted.partition(":")
    folder = into / name if kind == "synthetic" else Path(wanted)
    if kind == "synthetic" and not folder.is_dir():
        folder.mkdir(parents=True)
        for size in SIZES if name == "mix" else (name,):
            _paint(size, folder)
        if name == "mix":
            _odd_ones(folder)
    files = sorted(
        str(file.relative_to(folder)) for file in folder.rglob("*") if file.suffix.lower().lstrip(".") in EXTENSIONS
    )
    sizes = [(folder / file).stat().st_size for file in files]
    pixels = 0
    formats: Counter[str] = Counter()
    for file in files:
        with Image.open(folder / file) as image:
            pixels += image.width * image.height
            formats[image.format or ""] += 1
    return Pictures(folder, tuple(files), sum(sizes) / len(files), sum(sizes) / pixels, dict(formats))


def _paint(size: str, folder: Path) -> None:
    for number in range(DISTINCT[size]):
        _photograph(SIZES[size], number).save(folder / f"{size}-{number:02}.jpg", quality=90)


def _odd_ones(folder: Path) -> None:
    """What does not take the quick way: a few of each."""
    turned = Image.Exif()
    turned[0x0112] = 6
    for number in range(3):
        picture = _photograph(SIZES["vga"], 100 + number)
        picture.save(folder / f"turned-{number}.jpg", quality=90, exif=turned)
        picture.save(folder / f"screenshot-{number}.png")
        picture.convert("CMYK").save(folder / f"print-{number}.jpg", quality=90)


def _photograph(size: tuple[int, int], seed: int) -> Image.Image:
    """Structure at all scales (1/f), and the noise of a sensor."""
    dice = np.random.default_rng(seed)
    width, height = size
    layers = np.zeros((height, width, 3), dtype=np.float32)
    cells, strength = 4, 90.0
    while cells < width:
        coarse = dice.normal(0, strength, (max(2, cells * height // width), cells, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(coarse[:, :, channel]).resize(size, Image.Resampling.BICUBIC)
            layers[:, :, channel] += np.asarray(layer)
        cells, strength = cells * 2, strength * 0.62
    grain = dice.normal(0, 2.0, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(128 + layers * 0.45 + grain, 0, 255).astype(np.uint8))
