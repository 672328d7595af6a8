"""Planted defects end in their own class of failure; odd pictures are read as a person sees them."""

from pathlib import Path

import numpy as np
import pytest

from console_core.catalog.loading import load
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.demo.defects import Defect, plant
from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.errors import ImageEmpty, ImageMissing, ImageUnreadable, ImageUnsupported


def _load(defect: Defect, folder: Path) -> np.ndarray:
    name = f"picture{defect.suffix}"
    plant(defect, render(plan(7), 96), folder / name)
    return np.asarray(load(ImageRow("1", (name,), {}, ""), LocalFiles((folder,))).image).astype(float)


@pytest.mark.parametrize(
    ("defect", "failure"),
    [
        (Defect.MISSING, ImageMissing),
        (Defect.TRUNCATED, ImageUnreadable),
        (Defect.EMPTY, ImageEmpty),
        (Defect.HTML, ImageUnsupported),
    ],
)
def test_a_defect_fails_in_its_own_class(defect: Defect, failure: type[Exception], tmp_path: Path) -> None:
    assert defect.failure is failure
    with pytest.raises(failure) as caught:
        _load(defect, tmp_path)
    assert type(caught.value) is failure


@pytest.mark.parametrize("defect", [Defect.CMYK, Defect.GIF, Defect.WEBP, Defect.ROTATED])
def test_an_odd_picture_looks_like_the_painted_one(defect: Defect, tmp_path: Path) -> None:
    assert defect.failure is None
    loaded, painted = _load(defect, tmp_path), np.asarray(render(plan(7), 96)).astype(float)
    assert loaded.shape == painted.shape
    assert np.abs(loaded - painted).mean() < 12


def test_a_deep_grey_picture_keeps_its_brightness(tmp_path: Path) -> None:
    grey = np.asarray(render(plan(7), 96).convert("L")).astype(float)
    assert np.abs(_load(Defect.DEEP, tmp_path).mean(-1) - grey).max() <= 1


def test_animations_move_and_the_turned_picture_is_stored_lying(tmp_path: Path) -> None:
    from PIL import Image

    for defect in (Defect.GIF, Defect.WEBP, Defect.ROTATED):
        file = tmp_path / f"odd{defect.suffix}"
        plant(defect, render(plan(7), 96), file)
        with Image.open(file) as picture:
            if defect is Defect.ROTATED:
                assert picture.getexif()[0x0112] == 6
            else:
                assert getattr(picture, "n_frames", 1) == 2
