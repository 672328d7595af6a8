"""The preflight's trial runs the real pipeline, and its comparison tells how far the chosen mode is from exact mode."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Pixels, Vectors
from console_core.migration.findings import Parity, Severity
from console_core.migration.preflight import parity, trial
from console_core.migration.preflight.parity import about_parity, compare
from tests.grid_model import Grid

SAVED: dict[str, Callable[[Image.Image, Path], None]] = {
    "plain.jpg": lambda picture, file: picture.save(file, quality=88),
    "grey.jpg": lambda picture, file: picture.convert("L").save(file),
    "cmyk.jpg": lambda picture, file: picture.convert("CMYK").save(file),
    "alpha.png": lambda picture, file: picture.convert("RGBA").save(file),
    "page.webp": lambda picture, file: picture.save(file),
    "turned.jpg": lambda picture, file: picture.save(file, exif=_turned()),
    "cut.jpg": lambda picture, file: _cut(picture, file),
}


def _cut(picture: Image.Image, file: Path) -> None:
    picture.save(file)
    file.write_bytes(file.read_bytes()[:-200])


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    dice = np.random.default_rng(3)
    for name, save in SAVED.items():
        pixels = Image.fromarray(dice.integers(0, 255, (6, 8, 3), dtype=np.uint8))
        save(pixels.resize((320, 240), Image.Resampling.BICUBIC), folder / name)
    return folder


def row(name: str, *more: str) -> ImageRow:
    return ImageRow(name, (name, *more), {}, "r")


def test_a_trial_embeds_what_can_be_embedded_and_tells_the_others_apart(folder: Path) -> None:
    rows = [row("nowhere.jpg"), *map(row, SAVED), row("gone.jpg", "plain.jpg")]
    found = trial.trial(LocalFiles((folder,)), Grid(), rows, Mode.FAST)
    assert [one.key for one, _ in found.embedded] == [name for name in SAVED if name != "cut.jpg"] + ["gone.jpg"]
    assert (found.tried, len(found.failures), found.dimension) == (9, 2, Grid().card.dimension)
    assert found.rate > 0


def test_a_trial_that_takes_too_long_ends_early_with_a_rate(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "PATIENCE", 0.0)
    found = trial.trial(LocalFiles((folder,)), Grid(), [row("plain.jpg")] * 64, Mode.FAST)
    assert found.tried == 1
    assert found.rate > 0


@pytest.mark.parametrize("names", [[], ["nowhere.jpg"], ["cut.jpg", "nowhere.jpg"]])
def test_a_trial_without_one_good_picture_has_no_rate(folder: Path, names: list[str]) -> None:
    found = trial.trial(LocalFiles((folder,)), Grid(), list(map(row, names)), Mode.FAST)
    assert (found.tried, found.rate, found.dimension) == (len(names), 0.0, 0)
    assert compare(LocalFiles((folder,)), Grid(), Mode.FAST, found.embedded) is None


class Padded(Grid):
    """A graphics card: one pass after the other, each as long as with a full batch, the first of a thread longer."""

    device = "cuda:0, float16"

    def __init__(self, batch: int, seconds: float) -> None:
        super().__init__()
        self.batch, self._seconds = batch, seconds
        self._turn, self._warm = threading.Lock(), set[int]()

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        with self._turn:
            warm = threading.get_ident() in self._warm
            self._warm.add(threading.get_ident())
            time.sleep(self._seconds if warm else 2 * self._seconds)
        return super().embed_images(pixels)


@pytest.mark.alone
@pytest.mark.parametrize(("batch", "seconds"), [(64, 0.4), (128, 0.8)])
def test_the_rate_of_a_graphics_card_is_that_of_full_batches_one_after_the_other(
    folder: Path, batch: int, seconds: float
) -> None:
    found = trial.trial(LocalFiles((folder,)), Padded(batch, seconds), [row("plain.jpg")] * 40, Mode.FAST)
    assert 130 < found.rate <= 160


class Slow(LocalFiles):
    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        time.sleep(0.2)
        return super().read(path, make_room)


def test_on_a_graphics_card_too_the_slowest_stage_counts(folder: Path) -> None:
    found = trial.trial(Slow((folder,)), Padded(256, 0.01), [row("plain.jpg")] * 12, Mode.FAST)
    assert 0 < found.rate <= 4 / 0.2


def compared(folder: Path, names: list[str], mode: Mode) -> Parity:
    images, model = LocalFiles((folder,)), Grid()
    measured = trial.trial(images, model, list(map(row, names)), mode)
    found = compare(images, model, mode, measured.embedded)
    assert found is not None
    return found


def test_who_decodes_and_what_pillow_decodes_is_counted_by_kind(folder: Path) -> None:
    found = compared(folder, [name for name in SAVED if name != "cut.jpg"], Mode.FAST)
    assert dict(found.decoders) == {"libjpeg-turbo": 2, "Pillow": 4}
    assert dict(found.kinds) == {"CMYK JPEG": 1, "PNG": 1, "WEBP": 1, "JPEG turned by EXIF": 1}
    assert "2 by libjpeg-turbo" in found.text(Mode.FAST)
    assert "(1 CMYK JPEG, 1 JPEG turned by EXIF, 1 PNG, 1 WEBP)" in found.text(Mode.FAST)
    assert (found.compared, found.levels <= 2) == (6, True)
    assert 0.9999 < found.lowest <= found.median <= 1.0


def test_vectors_of_the_pipeline_are_compared_and_not_made_anew(folder: Path) -> None:
    images, model = LocalFiles((folder,)), Grid()
    measured = trial.trial(images, model, [row("plain.jpg"), row("grey.jpg")], Mode.FAST)
    wrong = [(one, -vector) for one, vector in measured.embedded]
    found = compare(images, model, Mode.FAST, wrong)
    assert found is not None
    assert found.lowest < -0.99


def test_a_picture_that_is_gone_meanwhile_is_not_compared(folder: Path) -> None:
    images, model = LocalFiles((folder,)), Grid()
    measured = trial.trial(images, model, [row("plain.jpg"), row("grey.jpg")], Mode.FAST)
    (one, vector), other = measured.embedded
    found = compare(images, model, Mode.FAST, [(replace(one, candidates=("nowhere.jpg",)), vector), other])
    assert found is not None
    assert found.compared == 1


def test_a_comparison_that_takes_too_long_says_how_many_it_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "PATIENCE", 0.0)
    found = compared(folder, ["plain.jpg"] * 40, Mode.TURBO)
    assert 1 <= found.compared < 40
    assert found.text(Mode.TURBO).startswith(f"{found.compared} pictures of yours in turbo and in exact mode")


@pytest.mark.parametrize(
    ("lowest", "severity"),
    [(1.0, Severity.INFO), (0.999, Severity.INFO), (0.99899, Severity.WARN), (0.98, Severity.WARN)],
)
def test_a_cosine_below_0_999_warns(lowest: float, severity: Severity) -> None:
    finding = about_parity(Mode.FAST, Parity(64, lowest, 1.0, 1, {"Pillow": 64}, {"PNG": 64}))
    assert (finding.code, finding.severity) == ("parity", severity)
    assert bool(finding.remedy) == (severity is Severity.WARN)


@pytest.mark.parametrize(("mode", "instead"), [(Mode.FAST, "exact"), (Mode.TURBO, "fast")])
def test_a_cosine_below_0_98_blocks_and_names_the_next_nearer_mode(mode: Mode, instead: str) -> None:
    finding = about_parity(mode, Parity(64, 0.9799, 0.9999996, 9, {"libjpeg-turbo": 64}, {}))
    assert finding.severity is Severity.BLOCK
    assert "cosine 0.979900 at the lowest, 0.999999 in the median" in finding.message
    assert f"Choose {instead} mode (--mode {instead})." in finding.remedy
