"""What a loaded model does is compared with what its files say, and it can be asked to embed otherwise."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from console_core.demo.cards import DEMO_CARDS, MODELS
from console_core.embedding import architectures
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.files import ModelFolder
from console_core.embedding.forward import Forward
from console_core.embedding.loading import load
from console_core.embedding.registry import parse
from console_core.embedding.types import ModelCard
from console_core.embedding.wiring import Fact, Otherwise, Part, declared, rewired
from console_core.errors import NoTextTower

CARDS = {card.key: card for card in DEMO_CARDS}
PIXELS = np.random.default_rng(2).integers(0, 255, size=(3, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def clip() -> TorchEmbedder:
    return load(CARDS["demo-clip"], "cpu")


def _fact(embedder: TorchEmbedder, part: Part) -> Fact:
    (found,) = (fact for fact in embedder.wiring() if fact.part is part)
    return found


def _tiny(folder: Path, *, quick: bool) -> ModelCard:
    text = {"context_length": 8, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1}
    vision = {"image_size": 64, "layers": 1, "width": 64, "head_width": 64, "patch_size": 32}
    model = {"embed_dim": 16, "quick_gelu": quick, "vision_cfg": vision, "text_cfg": text}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": {}}))
    return ModelCard("tiny", "Tiny", "CLIP", f"local-dir:{folder}", "", 16, 64)


def test_a_tokenizer_that_fills_up_with_another_token_than_its_own_is_found() -> None:
    embedder = load(CARDS["demo-siglip"], "cpu")
    own = embedder._tokenizer
    assert own is not None
    right = own
    assert _fact(embedder, Part.PADDING).fits

    class Elsewise:
        tokenizer: Any = getattr(own, "tokenizer")  # noqa: B009

        def __call__(self, texts: list[str]) -> Any:
            tokens: Any = right(texts)
            return torch.where(tokens == self.tokenizer.pad_token_id, 7, tokens)

    embedder._tokenizer = Elsewise()
    found = _fact(embedder, Part.PADDING)
    assert not found.fits
    assert (found.expected, found.found) == (
        "every text is filled up to 24 tokens with token 0",
        "every text is filled up to 24 tokens with token 7",
    )


def test_texts_that_are_cut_before_the_context_length_are_found(clip: TorchEmbedder) -> None:
    own = clip._tokenizer
    assert own is not None
    short = load(CARDS["demo-clip"], "cpu")
    short._tokenizer = lambda texts: own(texts)[:, :16]

    found = _fact(short, Part.CONTEXT)

    assert not found.fits
    assert found.found == "texts of 16 tokens for a text tower that takes 24"
    assert _fact(short, Part.PADDING).fits


def test_the_length_of_the_positions_is_read_from_the_weights_and_believed_before_the_configuration(
    tmp_path: Path,
) -> None:
    source = MODELS / "demo-clip"
    for file in source.iterdir():
        if file.suffix != ".json":
            (tmp_path / file.name).symlink_to(file)
    config = json.loads((source / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["context_length"] = 32
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))

    found = _fact(load(replace(CARDS["demo-clip"], architecture=f"local-dir:{tmp_path}"), "cpu"), Part.CONTEXT)

    assert (found.expected, found.found, found.fits) == ("24 tokens", "32 tokens", False)


@pytest.mark.parametrize("quick", [True, False])
def test_the_activation_that_is_there_is_compared_with_the_one_that_is_declared(tmp_path: Path, quick: bool) -> None:
    embedder = load(_tiny(tmp_path, quick=quick), "cpu", random_weights=True)
    assert _fact(embedder, Part.ACTIVATION).fits

    other = rewired(embedder._forward.model, texts=False)
    assert other is not None
    embedder._forward._models[embedder._forward.precision] = other

    found = _fact(embedder, Part.ACTIVATION)
    assert not found.fits
    assert (found.expected, found.found) == (("QuickGELU", "GELU") if quick else ("GELU", "QuickGELU"))


def test_a_tag_of_openai_asks_for_quickgelu_whatever_the_configuration_of_its_architecture_says(
    clip: TorchEmbedder, tmp_path: Path
) -> None:
    (tmp_path / "open_clip_config.json").write_text("{}")
    fed = {"size": 224, "mean": [0.5] * 3, "std": [0.5] * 3}
    folder = ModelFolder(tmp_path, architectures.configuration("ViT-B-32"), None, ())

    def said(name: str) -> bool | None:
        return declared(parse(name), folder, clip.preprocessing, fed, architectures.tag_settings).quick

    assert said("ViT-B-32/openai") is True
    assert said("ViT-B-32/laion2b_s34b_b79k") is False


@pytest.mark.parametrize(
    "done",
    [
        {"mean": (0.48145466, 0.4578275, 0.40821073), "deviation": (0.26862954, 0.26130258, 0.27577711)},
        {"resize_mode": "shortest"},
        {"interpolation": "bilinear"},
        {"height": 32, "width": 32},
    ],
)
def test_pictures_that_are_prepared_otherwise_than_the_configuration_says_are_found(done: dict[str, Any]) -> None:
    """As open_clip does with a checkpoint under a registered architecture: OpenAI's mean for all."""
    embedder = load(CARDS["demo-clip"], "cpu")
    assert _fact(embedder, Part.PREPROCESSING).fits
    own = embedder._forward
    embedder._forward = Forward(own.model, embedder._placement, own.precision, replace(own.preprocessing, **done))

    found = _fact(embedder, Part.PREPROCESSING)

    assert not found.fits
    assert found.expected != found.found


def test_a_rewired_model_shares_its_weights_and_leaves_the_loaded_one_as_it_is(tmp_path: Path) -> None:
    embedder = load(_tiny(tmp_path, quick=True), "cpu", random_weights=True)
    model = embedder._forward.model
    before = embedder.embed_images(PIXELS)

    other = rewired(model, texts=True)

    assert other is not None
    assert [one.data_ptr() for one in other.parameters()] == [one.data_ptr() for one in model.parameters()]
    assert not any("QuickGELU" in type(one).__name__ for one in other.modules())
    changed = embedder.embed_otherwise(PIXELS, Otherwise(activation=True))
    assert changed is not None
    assert not np.array_equal(changed, before)
    assert np.array_equal(embedder.embed_images(PIXELS), before)


def test_another_mean_and_deviation_embed_what_the_model_would_see_by_them(clip: TorchEmbedder) -> None:
    own = clip.preprocessing
    same = clip.embed_otherwise(PIXELS, Otherwise(own.mean, own.deviation))
    darker = clip.embed_otherwise(PIXELS // 2, Otherwise((0.25,) * 3, (0.25,) * 3))
    even = clip.embed_images(2 * (PIXELS // 2))

    assert same is not None
    assert np.array_equal(same, clip.embed_images(PIXELS))
    assert darker is not None
    assert np.allclose(darker, even, atol=1e-5)


def test_the_picture_tower_of_a_network_without_such_activations_cannot_be_rewired(clip: TorchEmbedder) -> None:
    assert clip.embed_otherwise(PIXELS, Otherwise(activation=True)) is None
    assert clip.embed_texts_otherwise(["a"], Otherwise((0.5,) * 3, (0.5,) * 3)) is None
    texts = clip.embed_texts_otherwise(["a red car"], Otherwise(activation=True))
    assert texts is not None
    assert not np.array_equal(texts, clip.embed_texts(["a red car"]))


def test_a_model_of_timm_has_facts_about_pictures_only(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(11)
        timm.models.save_for_hf(timm.create_model("test_vit", num_classes=0), tmp_path, safe_serialization=True)
    card = ModelCard("t", "T", "timm", f"local-dir:{tmp_path}", "", 64, 160, has_text=False, library="timm")

    embedder = load(card, "cpu")

    assert [(fact.part, fact.fits) for fact in embedder.wiring()] == [(Part.PREPROCESSING, True)]
    with pytest.raises(NoTextTower):
        embedder.embed_texts_otherwise(["a"], Otherwise(activation=True))
