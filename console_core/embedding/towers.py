"""A model as its library built it, before it is brought to its device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from console_core.embedding.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True)
class Towers:
    """A module of torch on the CPU in float32: one that has encode_image and encode_text, or one that is called with
    pictures and has no text tower.

    `fed` and `architecture` are what the fingerprint says of preprocessing and architecture. `picture_tower` is timm's
    name of the architecture of the picture tower, "" where timm does not build it. `tokenizer` is None where the model
    embeds no texts.
    """

    model: Any
    preprocessing: Preprocessing
    fed: Mapping[str, Any]
    architecture: Mapping[str, Any]
    picture_tower: str = ""
    tokenizer: Callable[[list[str]], Any] | None = None
    tokenizer_digest: str = "none"
