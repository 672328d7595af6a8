"""Eight faults, each injected into real models, pictures and a real store, are told by name; healthy ones are green."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loading import load
from console_core.embedding.wiring import Otherwise
from console_core.querylab.encoder_report import EncoderReport, Level
from tests.unit.querylab.encoder_world import (
    CARDS,
    CLIP,
    PICTURES,
    SIGLIP,
    World,
    changed_model,
    other_weights,
    stamp_of,
    vision_transformer,
)

EIGHT = (
    "padding",
    "context-length",
    "normalisation",
    "channels",
    "weights",
    "collection",
    "shuffled",
    "activation",
)


def _reds(report: EncoderReport) -> list[str]:
    return [finding.code for finding in report.findings if finding.level is Level.RED]


@pytest.mark.parametrize("key", [CLIP, SIGLIP])
def test_a_healthy_collection_is_green(world: World, key: str) -> None:
    embedder = world.model(key)
    name = world.stored(f"healthy-{key}", world.right(key), stamp_of(embedder))

    report = world.checked(name, embedder)

    assert report.findings == ()
    assert report.is_green
    assert (report.compared.pictures, report.compared.agreeing) == (PICTURES, PICTURES)
    assert report.compared.lowest > 0.9999
    assert report.captions is not None
    assert report.captions.median_rank <= 2
    assert report.captions.p == 1 / 10_000
    assert report.other_activation is not None
    assert report.other_activation.p > 0.1
    assert all(setting.fits for setting in report.settings)
    assert {setting.part for setting in report.settings} == {
        "padding",
        "context length",
        "activation",
        "preprocessing",
    }


def test_a_model_with_the_activation_that_it_was_made_for_is_green(world: World, tmp_path: Path) -> None:
    embedder = vision_transformer(tmp_path / "vit", world)
    name = world.stored("fitted", world.embedded(embedder), stamp_of(embedder))

    report = world.checked(name, embedder)

    assert report.findings == ()
    assert report.other_activation is not None
    assert report.other_activation.gain < 0


def _unnormalised(world: World, _: Path) -> tuple[str, TorchEmbedder]:
    """What an application stores that forgot to normalise: the model's answers as they are, compared by dot product."""
    embedder = world.model(CLIP)
    lengths = np.random.default_rng(2).uniform(4, 12, size=(PICTURES, 1)).astype(np.float32)
    return world.stored("raw", world.right(CLIP) * lengths, stamp_of(embedder), distance="dot"), embedder


def _swapped(world: World, _: Path) -> tuple[str, TorchEmbedder]:
    embedder = world.model(CLIP)
    vectors = world.embedded(embedder, lambda picture: embedder.preprocessing.exact(picture)[..., ::-1].copy())
    return world.stored("bgr", vectors, stamp_of(embedder)), embedder


def _other_tag(world: World, folder: Path) -> tuple[str, TorchEmbedder]:
    vectors = world.embedded(other_weights(folder / "other", CARDS[CLIP]))
    return world.stored("other-tag", vectors, stamp_of(world.model(CLIP))), world.model(CLIP)


def _other_pictures(world: World, _: Path) -> tuple[str, TorchEmbedder]:
    """The ids are those of another list of pictures: there is a vector for each, and none is of its picture."""
    embedder = world.model(CLIP)
    colours = np.random.default_rng(9).integers(0, 255, size=(PICTURES, 4, 4, 3), dtype=np.uint8)
    pixels = [embedder.preprocessing.quick(colour) for colour in colours]
    return world.stored("elsewhere", embedder.embed_images(pixels), stamp_of(embedder)), embedder


def _shuffled(world: World, _: Path) -> tuple[str, TorchEmbedder]:
    ids = [int(key) for key in np.roll(np.arange(1, PICTURES + 1), 1)]
    return world.stored("shuffled", world.right(CLIP), stamp_of(world.model(CLIP)), ids=ids), world.model(CLIP)


def _quick_gelu(world: World, folder: Path) -> tuple[str, TorchEmbedder]:
    """The text tower is loaded with the activation of OpenAI's models, and the configuration says no such thing."""
    from open_clip.transformer import QuickGELU

    embedder = load(CARDS[CLIP], "cpu")
    for block in embedder._forward.model.transformer.resblocks:
        block.mlp.gelu = QuickGELU()
    return world.stored("quick", world.right(CLIP), stamp_of(embedder)), embedder


def _stored_with_gelu(world: World, folder: Path) -> tuple[str, TorchEmbedder]:
    """An application embedded pictures with GELU, by weights that were trained with QuickGELU."""
    embedder = vision_transformer(folder / "vit", world)
    pixels = np.stack([embedder.preprocessing.exact(picture) for picture in world.pictures])
    vectors = embedder.embed_otherwise(pixels, Otherwise(activation=True))
    assert vectors is not None
    return world.stored("gelu", vectors, stamp_of(embedder)), embedder


def _openai_weights_as_gelu(world: World, folder: Path) -> tuple[str, TorchEmbedder]:
    """Weights that were trained with QuickGELU lie in a folder whose configuration does not say so. All vectors are
    made in the same wrong way, so that nothing contradicts them but the captions."""
    embedder = vision_transformer(folder / "openai", world, says=False)
    return world.stored("openai", world.embedded(embedder), stamp_of(embedder)), embedder


def _padded_to_the_longest(world: World, _: Path) -> tuple[str, TorchEmbedder]:
    """What a reference benchmark did with SigLIP: padding=True in place of "max_length"."""
    embedder = load(CARDS[SIGLIP], "cpu")
    own = embedder._tokenizer
    assert own is not None
    tokenizer: Any = getattr(own, "tokenizer")  # noqa: B009

    def longest(texts: list[str]) -> Any:
        return tokenizer(texts, padding=True, truncation=True, max_length=24, return_tensors="pt").input_ids

    embedder._tokenizer = longest
    return world.stored("longest", world.right(SIGLIP), stamp_of(embedder)), embedder


def _context_of_16(world: World, folder: Path) -> tuple[str, TorchEmbedder]:
    """open_clip bends the positions of 24 tokens to 16 without a word."""
    embedder = changed_model(
        folder / "short", CARDS[SIGLIP], lambda config: config["model_cfg"]["text_cfg"].update(context_length=16)
    )
    return world.stored("short-context", world.right(SIGLIP), stamp_of(embedder)), embedder


INJECTED: dict[str, tuple[Callable[[World, Path], tuple[str, TorchEmbedder]], str]] = {
    "padding": (_padded_to_the_longest, "max_length"),
    "context-length": (_context_of_16, "24 tokens"),
    "normalisation": (_unnormalised, "length"),
    "channels": (_swapped, "BGR"),
    "weights": (_other_tag, "other weights"),
    "collection": (_other_pictures, "other pictures"),
    "shuffled": (_shuffled, "ids do not belong"),
    "activation": (_quick_gelu, "QuickGELU"),
    "activation, in what is stored": (_stored_with_gelu, "QuickGELU"),
    "activation, in the configuration": (_openai_weights_as_gelu, "other activation"),
}


def test_every_fault_is_injected() -> None:
    assert {name.partition(",")[0] for name in INJECTED} == set(EIGHT)


@pytest.mark.parametrize("fault", INJECTED)
def test_an_injected_fault_is_red_and_nothing_else_is_blamed(world: World, tmp_path: Path, fault: str) -> None:
    inject, said = INJECTED[fault]
    name, embedder = inject(world, tmp_path)

    report = world.checked(name, embedder)

    assert _reds(report) == [fault.partition(",")[0]]
    (finding,) = (one for one in report.findings if one.level is Level.RED)
    assert said in f"{finding.message} {finding.remedy}"
    assert finding.remedy
    assert not report.is_green
