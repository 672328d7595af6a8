"""Pixels as a model sees them: the exact way is that of open_clip and of timm, and the quick way hardly differs."""

from typing import Any

import numpy as np
import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from timm.data import create_transform
from torchvision.transforms import Compose

from console_core.embedding.preprocessing import Preprocessing

SIZES = [(640, 480), (480, 640), (90, 260), (17, 9), (224, 224), (301, 300), (5000, 40), (225, 224), (100, 3300)]
CONFIGURED: list[dict[str, Any]] = [
    {"size": 224, "resize_mode": "shortest", "interpolation": "bicubic"},
    {"size": (64, 64), "resize_mode": "squash", "interpolation": "bicubic"},
    {"size": (384, 384), "resize_mode": "squash", "interpolation": "bilinear"},
    {"size": 80, "resize_mode": "longest", "interpolation": "bicubic", "fill_color": 7},
    {"size": (96, 64), "resize_mode": "shortest", "interpolation": "bicubic"},
]
OF_TIMM: list[dict[str, Any]] = [
    {"input_size": (3, 160, 160), "crop_mode": "center", "crop_pct": 0.95, "interpolation": "bicubic"},
    {"input_size": (3, 224, 224), "crop_mode": "center", "crop_pct": 0.875, "interpolation": "bilinear"},
    {"input_size": (3, 64, 64), "crop_mode": "squash", "crop_pct": 0.9, "interpolation": "bicubic"},
    {"input_size": (3, 384, 384), "crop_mode": "squash", "crop_pct": 1.0, "interpolation": "bilinear"},
    {"input_size": (3, 96, 96), "crop_mode": "border", "crop_pct": 0.9, "interpolation": "bicubic"},
    {"input_size": (3, 80, 80), "crop_mode": "border", "crop_pct": 1.0, "interpolation": "bilinear"},
    {"input_size": (3, 96, 64), "crop_mode": "center", "crop_pct": 0.9, "interpolation": "bilinear"},
]
FED = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.25)}


def called(one: dict[str, Any]) -> str:
    return " ".join(str(value) for value in one.values())


def preprocessing(configured: dict[str, Any]) -> Preprocessing:
    if "crop_mode" in configured:
        return Preprocessing.of_timm({**FED, **configured})
    return Preprocessing.of({"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.25), **configured})


def photograph(size: tuple[int, int]) -> Image.Image:
    """Noise, edges and a gradient: what resizing gets wrong first."""
    dice = np.random.default_rng(sum(size))
    width, height = size
    gradient = np.linspace(0, 255, width)[None, :, None] * np.linspace(0.3, 1, height)[:, None, None]
    pixels = gradient + dice.normal(0, 25, (height, width, 3))
    pixels[height // 3 : height // 2, width // 4 : width // 2] = (250, 3, 128)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("configured", CONFIGURED, ids=called)
def test_the_exact_way_is_bit_for_bit_that_of_open_clip(configured: dict[str, Any]) -> None:
    *steps, _to_tensor, _normalise = image_transform_v2(PreprocessCfg(**configured), is_train=False).transforms
    for size in SIZES:
        picture = photograph(size)
        if configured["resize_mode"] == "shortest" and max(size) > 32 * min(size):
            continue  # its far ends are cut off first, for memory's sake
        np.testing.assert_array_equal(preprocessing(configured).exact(picture), np.asarray(Compose(steps)(picture)))


@pytest.mark.parametrize("configured", [*OF_TIMM, {**OF_TIMM[0], "interpolation": "lanczos"}], ids=called)
def test_the_exact_way_is_bit_for_bit_that_of_timm(configured: dict[str, Any]) -> None:
    *steps, _to_tensor, _normalise = create_transform(**configured, **FED, is_training=False).transforms
    for size in SIZES:
        picture = photograph(size)
        if configured["crop_mode"] == "center" and max(size) > 32 * min(size):
            continue
        np.testing.assert_array_equal(preprocessing(configured).exact(picture), np.asarray(Compose(steps)(picture)))


@pytest.mark.parametrize("unknown", [{"crop_mode": "corners"}, {"interpolation": "random"}])
def test_a_filter_or_a_crop_that_is_not_known_is_an_error_before_any_picture_is_prepared(
    unknown: dict[str, str],
) -> None:
    with pytest.raises(KeyError, match=next(iter(unknown.values()))):
        preprocessing({**OF_TIMM[0], **unknown})


def test_what_torch_has_no_filter_for_is_resized_exactly_in_every_mode() -> None:
    ours, picture = preprocessing({**OF_TIMM[0], "interpolation": "lanczos"}), photograph((640, 480))
    np.testing.assert_array_equal(ours.quick(np.asarray(picture)), ours.exact(picture))


@pytest.mark.parametrize("configured", [*CONFIGURED, *OF_TIMM], ids=called)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_quick_way_is_hardly_ever_more_than_one_level_from_the_exact_one(
    configured: dict[str, Any], size: tuple[int, int]
) -> None:
    ours, picture = preprocessing(configured), photograph(size)
    exact, quick = ours.exact(picture), ours.quick(np.asarray(picture))
    assert quick.shape == exact.shape == (ours.height, ours.width, 3)
    levels = np.abs(exact.astype(int) - quick.astype(int))
    assert (levels <= 1).mean() >= 0.995
    assert levels.max() <= 5


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1920, 1080), (300, 301)], ids=str)
def test_in_photographs_it_is_one_level_at_most(size: tuple[int, int]) -> None:
    for configured in (*CONFIGURED[:3], *OF_TIMM[:4]):
        ours, picture = preprocessing(configured), photograph(size)
        exact, quick = ours.exact(picture), ours.quick(np.asarray(picture))
        assert np.abs(exact.astype(int) - quick.astype(int)).max() <= 1


def test_an_image_takes_the_exact_way_and_an_array_the_quick_one() -> None:
    ours, picture = preprocessing(CONFIGURED[0]), photograph((120, 90))
    np.testing.assert_array_equal(ours.either(picture), ours.exact(picture))
    np.testing.assert_array_equal(ours.either(np.asarray(picture)), ours.quick(np.asarray(picture)))


def test_turbo_mode_decodes_to_twice_the_size_that_is_resized_to() -> None:
    assert preprocessing(CONFIGURED[0]).least(1920, 1080) == (2 * 398, 2 * 224)
    assert preprocessing(CONFIGURED[1]).least(1920, 1080) == (128, 128)
    assert preprocessing(OF_TIMM[1]).least(1920, 1080) == (2 * 455, 2 * 256)


@pytest.mark.parametrize("size", [(640, 480), (300, 900)])
def test_the_quick_way_leaves_pixels_in_the_order_in_which_slabs_have_them(size: tuple[int, int]) -> None:
    """In another order copying them into a slab takes half as long as resizing."""
    pixels = preprocessing(CONFIGURED[0]).quick(np.zeros((size[1], size[0], 3), dtype=np.uint8))
    assert pixels.strides[1:] == (3, 1)


def test_an_array_may_lie_in_memory_in_any_order() -> None:
    ours, picture = preprocessing(CONFIGURED[0]), photograph((300, 200))
    turned = np.asarray(picture)[::-1, ::-1].swapaxes(0, 1)
    exact = ours.exact(Image.fromarray(np.ascontiguousarray(turned)))
    assert np.abs(exact.astype(int) - ours.quick(turned).astype(int)).max() <= 1
