"""What is trained: a small ResNet with attention pooling, and a small text transformer, for each loss."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

CONTEXT = 24
"""Tokens of a text."""
PREPROCESSING: Mapping[str, Any] = {
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "interpolation": "bicubic",
    "resize_mode": "squash",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """A model to train. `image_size` is in pixels."""

    key: str
    loss: Literal["softmax", "sigmoid"]
    dimension: int
    image_size: int
    text_layers: int
    batch: int = 256
    learning_rate: float = 1.5e-3

    def configuration(self, vocabulary: int) -> dict[str, Any]:
        """open_clip's `model_cfg`."""
        vision = {
            "image_size": self.image_size,
            "layers": [1, 1, 1, 1],
            "width": 24,
            "head_width": 64,
            "patch_size": 16,
        }
        text: dict[str, Any] = {
            "context_length": CONTEXT, "width": 128, "heads": 4, "layers": self.text_layers, "vocab_size": vocabulary,
        }  # fmt: skip
        model: dict[str, Any] = {"embed_dim": self.dimension, "vision_cfg": vision, "text_cfg": text}
        if self.loss == "sigmoid":
            text |= {
                "hf_tokenizer_name": "local", "tokenizer_kwargs": {"clean": "canonicalize"}, "no_causal_mask": True,
                "proj_bias": True, "pool_type": "last",
            }  # fmt: skip
            model |= {"custom_text": True, "init_logit_scale": math.log(10), "init_logit_bias": -10.0}
        return model


RECIPES: Mapping[str, Recipe] = {
    "demo-clip": Recipe("demo-clip", "softmax", dimension=128, image_size=64, text_layers=2),
    "demo-siglip": Recipe("demo-siglip", "sigmoid", dimension=192, image_size=80, text_layers=3),
}
