"""Which models there are: the built-in cards, the user's own, any pair that open_clip has, and any name of timm."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from console_core.embedding import architectures, timm_cards
from console_core.embedding.cards import CARDS
from console_core.embedding.files import CHECKPOINTS, LOCAL
from console_core.embedding.openclip_folder import configuration_of
from console_core.embedding.timm_cards import KnownModels
from console_core.embedding.timm_names import TIMM
from console_core.embedding.types import PLACE, ModelCard
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
        known = (one for one in self._cards.values() if not one.weights and one.architecture == key)
        if (card := next(known, None)) is not None:
            return card
        if "/" in key or key.startswith((LOCAL, TIMM)) or key in architectures.names():
            card = parse(key)
            same = (one for one in self._cards.values() if _source(one) == _source(card))
            return next(same, card)
        raise ModelUnknown(f'No model is called "{key}".', architectures.near(key, tuple(self._cards)))

    def embeds_text(self, key: str) -> bool:
        """Whether a model has a text tower, as far as that is told in no time; True where nothing is known of it."""
        if key in self._cards:
            return self._cards[key].has_text
        return not (key.startswith(TIMM) or (key.startswith(LOCAL) and timm_cards.is_folder(_folder(key))))


def parse(text: str) -> ModelCard:
    """An ad-hoc card, whose key is again such a text, from one of

    - `ViT-L-14/laion2b_s32b_b82k`: an architecture and a weights tag of open_clip,
    - `ViT-L-14//models/mine.safetensors`: an architecture and the path of a checkpoint,
    - `local-dir:/models/mine`: a folder with open_clip_config.json, weights and tokenizer files; or one with timm's
      config.json and model.safetensors,
    - `ViT-L-14`: an architecture without weights, which loads for benchmarks only,
    - `timm:resnet50` or `timm:resnet50.a1_in1k`: an architecture of timm, with its usual weights or those of a tag,
    - `timm:hf-hub:BVRA/MegaDescriptor-L-384`: a repository that timm can load,
    - `timm:resnet50//models/mine.safetensors`, and so with a tag or a repository: fed like that, with the weights of a
      checkpoint.

    The dimension of a timm model is found by building it without weights, so timm is imported, for seconds, unless the
    model has a built-in card. A repository's config.json is downloaded where it is not here.

    Raises:
        ModelUnknown: the library has no such architecture, or not this pair.
        ModelNotLoadable: the folder, the checkpoint or the repository's config.json is not there.
    """
    if text.startswith(TIMM):
        return timm_cards.card_of(*timm_cards.split(text), download=True)
    if text.startswith(LOCAL):
        return _card(text, "")
    if text.endswith(CHECKPOINTS):
        architecture, _, weights = text.partition("/")
        return _card(architecture, weights)
    if text in architectures.names():
        return _card(text, "")
    architecture, _, weights = text.rpartition("/")
    return _card(architecture.replace("/", "-"), weights)


def from_settings(model: ModelSettings, workspace: Path = Path(), cache: Path | None = None) -> ModelCard:
    """The card of a model that `console.toml` describes; its paths are relative to the workspace.

    `cache` is a folder in which it is remembered what timm said of a model: asking it takes seconds.

    Raises:
        ModelUnknown: its library has no such architecture, or not this pair.
        ModelNotLoadable: the folder, the checkpoint or a repository's config.json is not there.
        SettingsError: `dimension` or `image_size` contradicts the model's own configuration, or `template` is none.
    """
    known = KnownModels(cache / KnownModels.FILE if cache else None)
    card = _card(model.architecture, model.weights, workspace, known)
    for name in ("dimension", "image_size"):
        said, true = getattr(model, name), getattr(card, name)
        if said and said != true:
            raise SettingsError(
                f"[models.{model.key}] says {name} = {said}, but {model.architecture} has {true}.",
                "Remove the line; the model's own configuration says it.",
            )
    if model.template and model.template.count(PLACE) != 1:
        raise SettingsError(
            f"[models.{model.key}] says template = {model.template!r}, which has {PLACE} not exactly once.",
            f'Write the text as it is embedded, with {PLACE} for the query: template = "a photo of {PLACE}".',
        )
    if model.template and not card.has_text:
        raise SettingsError(
            f"[models.{model.key}] has a template, but {card.title} embeds no texts.", "Remove the line."
        )
    return replace(card, key=model.key, title=model.title or card.title, template=model.template)


def _folder(architecture: str, workspace: Path = Path()) -> Path:
    return (workspace / Path(architecture.removeprefix(LOCAL)).expanduser()).resolve()


def _card(architecture: str, weights: str, workspace: Path = Path(), known: KnownModels | None = None) -> ModelCard:
    if weights.endswith(CHECKPOINTS):
        weights = str((workspace / Path(weights).expanduser()).resolve())
        if not Path(weights).is_file():
            raise ModelNotLoadable(f"There is no checkpoint at {weights}.", "Correct the path or put the file there.")
    if architecture.startswith(TIMM):
        return timm_cards.card_of(architecture, weights, download=False, known=known)
    if architecture.startswith(LOCAL):
        folder = _folder(architecture, workspace)
        architecture, title = f"{LOCAL}{folder}", folder.name
        if weights and not weights.endswith(CHECKPOINTS):
            raise ModelUnknown(
                f'A model folder has no weights tags, but "{weights}" is named.',
                "Remove weights, or name a checkpoint file.",
            )
        if timm_cards.is_folder(folder):
            return timm_cards.card_of(architecture, weights, download=False, known=known)
        configured = configuration_of(folder)["model_cfg"]
    else:
        configured = architectures.configuration(architecture)
        title = f"{architecture} ({Path(weights).name})" if weights else architecture
        exists = weights.endswith(CHECKPOINTS) or any(_source(card) == (architecture, weights) for card in CARDS)
        if weights and not exists:
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
