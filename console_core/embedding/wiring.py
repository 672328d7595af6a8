"""How a loaded model is put together, beside what its files say of it, and how it answers when that is done otherwise.

A model whose text is padded, cut or activated in another way than it was trained answers all the same, a little or
much worse, and nothing in its answers tells. So what its configuration and its weights say is compared with what the
loaded model does with a text of one letter and with one that is too long.
"""

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.files import CHECKPOINTS, ModelFolder
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import ModelCard, Pixels, Vectors

USUAL_CONTEXT = 77
"""Tokens of a text where a configuration of open_clip does not say."""
_POSITIONS = ("positional_embedding", "text.positional_embedding")
_ACTIVATION = ".mlp.gelu"
"""Where open_clip has the activation of a transformer's layer."""
_LETTER, _WORD = "a", "word "
_QUICK, _EXACT = "QuickGELU", "GELU"
_KINDS = (_QUICK, _EXACT)
_TOLERANCE = 1e-4
"""How far the mean and deviation that the device computes with may be from those of the configuration."""


class Part(StrEnum):
    """What a fact is about."""

    PADDING = "padding"
    CONTEXT = "context length"
    ACTIVATION = "activation"
    PREPROCESSING = "preprocessing"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing about a loaded model: what `source` says of it, and what was found in the model itself."""

    part: Part
    expected: str
    found: str
    source: str
    fits: bool


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A way to embed pictures otherwise than the model does. `mean` and `deviation` are of red, green and blue, in
    parts of 255; () leaves the model's own. `activation` changes GELU for QuickGELU, or the reverse."""

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    activation: bool = False


@runtime_checkable
class Inspectable(Protocol):
    """An embedder that can be asked how it is put together."""

    def wiring(self) -> tuple[Fact, ...]:
        """Each fact that can be compared. There is none about texts where the model embeds none."""
        ...

    def embed_otherwise(self, pixels: Sequence[Pixels] | NDArray[np.uint8], way: Otherwise) -> Vectors | None:
        """As `embed_images`, in another way; None where that changes nothing about this model's picture tower.

        Raises:
            DeviceOutOfMemory, DeviceLost, ModelOutputInvalid: as `embed_images`.
        """
        ...

    def embed_texts_otherwise(self, texts: Sequence[str], way: Otherwise) -> Vectors | None:
        """As `embed_texts`, in another way; None where that changes nothing about this model's text tower.

        Raises:
            NoTextTower, DeviceOutOfMemory, DeviceLost, ModelOutputInvalid: as `embed_texts`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Declared:
    """What a model's files say. `context` and `quick` are the configuration's, `positions` is the length of the
    positional embedding in the weights; None where they do not say. `tag` is the tag of open_clip that said it, if one
    did."""

    preprocessing: Preprocessing
    context: int | None = None
    positions: int | None = None
    quick: bool | None = None
    tag: str = ""


def declared(
    card: ModelCard,
    folder: ModelFolder,
    preprocessing: Preprocessing,
    fed: Mapping[str, Any],
    tag_settings: Callable[[str, str], Mapping[str, Any]],
) -> Declared:
    """From a model's configuration and the header of its weights. Only safetensors have one that is read quickly.

    `fed` and `preprocessing` are what its library made of that, for what the configuration leaves to the library.
    """
    if card.library != "open_clip":
        return Declared(preprocessing)
    model = folder.model
    preprocessing = Preprocessing.of({**fed, **_stated(folder.path)})
    text = model.get("text_cfg", {})
    quick = bool(model.get("quick_gelu", False))
    tag = ""
    if card.weights and not card.is_local and not card.weights.endswith(CHECKPOINTS):
        tag = f"{card.architecture}/{card.weights}"
        quick = quick or bool(tag_settings(card.architecture, card.weights).get("quick_gelu"))
    return Declared(
        preprocessing, int(text.get("context_length", USUAL_CONTEXT)), _positions(folder.weights), quick, tag
    )


def facts(
    said: Declared, model: Any, prepares: Preprocessing, tokenizer: Callable[..., Any] | None
) -> tuple[Fact, ...]:
    """What was declared beside what is there. `prepares` is what is really done with pictures."""
    return (
        *_of_texts(said, model, tokenizer),
        *_of_activation(said, model),
        _of_pictures(said.preprocessing, prepares),
    )


def rewired(model: Any, *, texts: bool) -> Any | None:
    """The model with the other activation, sharing its weights; None where the tower of texts, or else the one of
    pictures, has none.

    OpenAI trained with QuickGELU, x · sigmoid(1.702 x), and almost everybody since with GELU.
    """
    from open_clip.transformer import QuickGELU
    from torch.nn import GELU

    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    other = copy.deepcopy(model, shared)
    found = [(name, type(one).__name__) for name, one in other.named_modules() if type(one).__name__ in _KINDS]
    for name, kind in found:
        place, _, own = name.rpartition(".")
        setattr(other.get_submodule(place), own, GELU() if kind == _QUICK else QuickGELU())
    two_towers = hasattr(model, "visual")
    asked = [name for name, _ in found if (two_towers and not name.startswith("visual.")) == texts]
    return other if asked else None


def _of_texts(said: Declared, model: Any, tokenizer: Callable[..., Any] | None) -> Iterator[Fact]:
    if tokenizer is None or said.context is None:
        return
    takes = int(getattr(model, "context_length", said.context))
    class_token = getattr(getattr(model, "text", None), "cls_emb", None) is not None
    trained = said.context if said.positions is None else said.positions - class_token
    source = "open_clip_config.json" if said.positions is None else "the positional embedding in the weights"
    if said.tag and said.positions is None:
        source = f"open_clip's configuration of {said.tag}"
    (short,), (long,) = tokenizer([_LETTER]), tokenizer([_WORD * 4 * max(takes, trained)])
    most = max(len(short), len(long))
    yield Fact(
        Part.CONTEXT,
        f"{trained} tokens",
        f"{most} tokens" if most == takes else f"texts of {most} tokens for a text tower that takes {takes}",
        source,
        most == takes == trained,
    )
    even = len(short) == len(long)
    filled = f"every text is filled up to {len(short)} tokens" if even else ""
    filled = filled or f"a text of one letter has {len(short)} tokens, a long one {len(long)}"
    pad, used = _declared_pad(tokenizer), int(short[-1])
    right = pad is None or used == pad
    if even and not right:
        filled += f" with token {used}"
    told = f"every text is filled up to {most} tokens" + (f" with token {pad}" if even and not right else "")
    yield Fact(Part.PADDING, told, filled, "the tokenizer and the text tower", even and right)


def _of_activation(said: Declared, model: Any) -> Iterator[Fact]:
    there = {type(module).__name__ for _, module in _activations(model)}
    if said.quick is None or not there:
        return
    expected = _QUICK if said.quick else _EXACT
    source = f"open_clip's tag {said.tag}" if said.tag else "quick_gelu in open_clip_config.json"
    yield Fact(Part.ACTIVATION, expected, " and ".join(sorted(there)), source, there == {expected})


def _of_pictures(wanted: Preprocessing, done: Preprocessing) -> Fact:
    pairs = zip((*done.mean, *done.deviation), (*wanted.mean, *wanted.deviation), strict=True)
    near = all(abs(one - other) < _TOLERANCE for one, other in pairs)
    fits = near and done.pixels_key == wanted.pixels_key
    return Fact(Part.PREPROCESSING, _told(wanted), _told(done), "the model's configuration", fits)


def _told(how: Preprocessing) -> str:
    mean, deviation = ("; ".join(f"{value:.4g}" for value in values) for values in (how.mean, how.deviation))
    return (
        f"{how.width} × {how.height} pixels, {how.interpolation}, {how.resize_mode}, RGB, mean {mean}, deviation "
        f"{deviation}"
    )


def _activations(module: Any) -> list[tuple[str, Any]]:
    """The activations of the transformers of open_clip that a module has, by name."""
    if not hasattr(module, "named_modules"):
        return []
    return [(name, one) for name, one in module.named_modules() if f".{name}".endswith(_ACTIVATION)]


def _declared_pad(tokenizer: Any) -> int | None:
    """The token that a tokenizer says it fills up with; None where it does not say."""
    pad = getattr(getattr(tokenizer, "tokenizer", None), "pad_token_id", None)
    special: str = getattr(tokenizer, "tokenizer_mode", "")
    return None if pad is None or special else int(pad)


def _stated(folder: Path) -> dict[str, Any]:
    """What the configuration in an assembled folder says of preprocessing itself."""
    told = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8")).get("preprocess_cfg") or {}
    return {name: told[name] for name in ("mean", "std", "size", "interpolation", "resize_mode") if told.get(name)}


def _positions(weights: Path | None) -> int | None:
    if weights is None or weights.suffix != ".safetensors":
        return None
    from safetensors import safe_open

    with safe_open(weights, framework="pt") as tensors:
        names = set(tensors.keys())
        found = next((name for name in _POSITIONS if name in names), None)
        return int(tensors.get_slice(found).get_shape()[0]) if found else None
