"""The architectures that real migrations name, as their cards have them: without numbers, or with random weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transformer import QuickGELU
from PIL import Image

from console_core.embedding.folder import assembled
from console_core.embedding.loading import load
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import ModelCard

from .conftest import DEMO

Put = Callable[[str, dict[str, bytes]], Path]
TOKENIZER = {name: (DEMO / "demo-siglip" / name).read_bytes() for name in ("tokenizer.json", "tokenizer_config.json")}
OPENAI = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "resize_mode": "shortest",
    "interpolation": "bicubic",
}
HALF: dict[str, Any] = {"mean": [0.5] * 3, "std": [0.5] * 3}
SIGLIP = {**HALF, "resize_mode": "squash", "interpolation": "bicubic"}
STATED = {
    "clip-vit-l-14-openai": (768, 224, OPENAI),
    "clip-vit-b-32-openai": (512, 224, OPENAI),
    "siglip-vit-b-16-webli": (768, 224, SIGLIP),
    "siglip-vit-l-16-256-webli": (1024, 256, SIGLIP),
    "siglip-vit-l-16-384-webli": (1024, 384, SIGLIP),
}
of_open_clip = pytest.mark.parametrize("key", list(STATED))
PICTURE = Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 30).convert("RGB")


def on_meta(card: ModelCard) -> Any:
    """The model without numbers, as loading it would build it."""
    with assembled(card, random_weights=True) as folder, torch.device("meta"):
        return open_clip.create_model(f"local-dir:{folder.path}", device="meta", pretrained_text=False)


@of_open_clip
def test_what_guides_state_is_what_the_card_says_and_what_the_architecture_answers(key: str) -> None:
    card, (dimension, size, fed) = ModelCards().get(key), STATED[key]
    assert (card.dimension, card.image_size, card.has_text) == (dimension, size, True)
    with assembled(card, random_weights=True) as folder:
        said = json.loads((folder.path / "open_clip_config.json").read_text())["preprocess_cfg"]
    assert {name: said.get(name, OPENAI[name]) for name in fed} == fed
    model = on_meta(card)
    with torch.inference_mode(), torch.device("meta"):
        pictures = model.encode_image(torch.empty(2, 3, size, size))
        texts = model.encode_text(torch.zeros(3, model.context_length, dtype=torch.long))
    assert (pictures.shape, texts.shape) == ((2, dimension), (3, dimension))


@pytest.mark.parametrize(("key", "quick"), [("openai", True), ("laion2b", False), ("datacomp", False)])
@pytest.mark.parametrize("size", ["b-32", "l-14"])
def test_openai_weights_are_computed_with_quick_gelu_in_both_towers_and_others_are_not(
    size: str, key: str, quick: bool
) -> None:
    model = on_meta(ModelCards().get(f"clip-vit-{size}-{key}"))
    for tower in (model.visual.transformer, model.transformer):
        assert {type(block.mlp.gelu) is QuickGELU for block in tower.resblocks} == {quick}


@pytest.mark.parametrize("key", ["siglip-vit-b-16-webli", "siglip-vit-l-16-256-webli", "siglip-vit-l-16-384-webli"])
def test_texts_for_siglip_are_padded_to_the_64_tokens_that_it_was_trained_with(key: str, downloaded: Put) -> None:
    card = ModelCards().get(key)
    wanted = open_clip.get_model_config(card.architecture)["text_cfg"]
    downloaded(wanted["hf_tokenizer_name"], TOKENIZER)
    with assembled(card, random_weights=True) as folder:
        tokens = open_clip.get_tokenizer(f"local-dir:{folder.path}")(["a red car", ""])
    assert tokens.shape == (2, 64)
    assert wanted["context_length"] == 64
    assert len(set(tokens[0, 32:].tolist())) == 1, "everything behind a short text is padding"


@pytest.mark.parametrize("key", ["siglip-vit-b-16-webli", "timm:swin_tiny_patch4_window7_224"])
def test_one_of_each_family_is_built_and_embeds(key: str) -> None:
    """CLIP's ViT-B-32 is one of the models of the embedders' contract. MegaDescriptor is a larger Swin."""
    card = ModelCards().get(key)
    embedder = load(card, "cpu", precision="float32", random_weights=True)
    pixels = embedder.preprocessing.exact(PICTURE)
    assert pixels.shape == (card.image_size, card.image_size, 3)
    vectors = embedder.embed_images([pixels])
    assert vectors.shape == (1, card.dimension)
    assert np.linalg.norm(vectors) == pytest.approx(1, abs=1e-6)
