"""Which models there are: the built-in cards, the user's own, and any pair that open_clip has."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from console_core.embedding import architectures
from console_core.embedding.cards import CARDS
from console_core.embedding.folder import CHECKPOINTS, LOCAL, configuration_of
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable, ModelUnknown, SettingsError
from console_core.settings import ModelSettings


class ModelCards:
    """Model cards by key. Cards come in the order given; nothing is loaded.

    Raises:
        SettingsError: two cards have the same key.
    """

    def __init__(self, cards: Iterable[ModelCard] = CARDS) -> None:
        self._cards: dict[str, ModelCard] = {}
        for card in cards:
            if card.key in self._cards:
                raise SettingsError(f'Two models are called "{card.key}".', "Rename [models.<key>] in console.toml.")
            self._cards[card.key] = card

    def all(self) -> tuple[ModelCard, ...]:
        return tuple(self._cards.values())

    def get(self, key: str) -> ModelCard:
        """The card of a key, or an ad-hoc card where the text names a model as `parse` reads it.

        Raises:
            ModelUnknown: neither; the remedy names similar keys, architectures or tags.
            ModelNotLoadable: a folder or a checkpoint file that is not there.
        """
        if key in self._cards:
            return self._cards[key]
        if "/" in key or key.startswith(LOCAL) or key in architectures.names():
            card = parse(key)
            same = (one for one in self._cards.values() if _source(one) == _source(card))
            return next(same, card)
        raise ModelUnknown(f'No model is called "{key}".', architectures.near(key, tuple(self._cards)))


def parse(text: str) -> ModelCard:
    """An ad-hoc card, whose key is again such a text, from one of

    - `ViT-L-14/laion2b_s32b_b82k`: an architecture and a weights tag of open_clip,
    - `ViT-L-14//models/mine.safetensors`: an architecture and the path of a checkpoint,
    - `local-dir:/models/mine`: a folder with open_clip_config.json, weights and tokenizer files,
    - `ViT-L-14`: an architecture without weights, which loads for benchmarks only.

    Raises:
        ModelUnknown: open_clip has no such architecture, or not this pair.
        ModelNotLoadable: the folder or the checkpoint is not there.
    """
    if text.startswith(LOCAL):
        return _card(text, "")
    if text.endswith(CHECKPOINTS):
        architecture, _, weights = text.partition("/")
        return _card(architecture, weights)
    if text in architectures.names():
        return _card(text, "")
    architecture, _, weights = text.rpartition("/")
    return _card(architecture.replace("/", "-"), weights)


def from_settings(model: ModelSettings, workspace: Path = Path()) -> ModelCard:
    """The card of a model that `console.toml` describes; its paths are relative to the workspace.

    Raises:
        ModelUnknown: open_clip has no such architecture, or not this pair.
        ModelNotLoadable: the folder or the checkpoint is not there.
        SettingsError: `dimension` or `image_size` contradicts the model's own configuration.
    """
    card = _card(model.architecture, model.weights, workspace)
    for name in ("dimension", "image_size"):
        said, true = getattr(model, name), getattr(card, name)
        if said and said != true:
            raise SettingsError(
                f"[models.{model.key}] says {name} = {said}, but {model.architecture} has {true}.",
                "Remove the line; the model's own configuration says it.",
            )
    return replace(card, key=model.key, title=model.title or card.title)


def _card(architecture: str, weights: str, workspace: Path = Path()) -> ModelCard:
    if weights.endswith(CHECKPOINTS):
        weights = str((workspace / Path(weights).expanduser()).resolve())
        if not Path(weights).is_file():
            raise ModelNotLoadable(f"There is no checkpoint at {weights}.", "Correct the path or put the file there.")
    if architecture.startswith(LOCAL):
        folder = (workspace / Path(architecture.removeprefix(LOCAL)).expanduser()).resolve()
        architecture, title = f"{LOCAL}{folder}", folder.name
        configured = configuration_of(folder)["model_cfg"]
        if weights and not weights.endswith(CHECKPOINTS):
            raise ModelUnknown(
                f'A model folder has no weights tags, but "{weights}" is named.',
                "Remove weights, or name a checkpoint file.",
            )
    else:
        configured = architectures.configuration(architecture)
        title = f"{architecture} ({Path(weights).name})" if weights else architecture
        known = weights.endswith(CHECKPOINTS) or any(_source(card) == (architecture, weights) for card in CARDS)
        if weights and not known:
            architectures.tag_settings(architecture, weights)
    key = f"{architecture}/{weights}" if weights else architecture
    dimension, image_size = architectures.shape(configured)
    return ModelCard(
        key=key,
        title=title,
        family=_family(architecture, configured),
        architecture=architecture,
        weights=weights,
        dimension=dimension,
        image_size=image_size,
        builtin=False,
    )


def _family(architecture: str, configured: Mapping[str, Any]) -> str:
    if "SigLIP2" in architecture:
        return "SigLIP 2"
    return "SigLIP" if "init_logit_bias" in configured else "CLIP"


def _source(card: ModelCard) -> tuple[str, str]:
    return card.architecture, card.weights
