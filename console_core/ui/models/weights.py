"""Where a model's weights are. Pure: nothing is loaded or downloaded."""

import sys
from dataclasses import dataclass
from pathlib import Path

from console_core.embedding.loaded import Models
from console_core.embedding.types import ModelCard
from console_core.errors import ModelError
from console_core.ui.words import Word

PACKAGED = Word("Packaged", "green", ":material/inventory_2:", "Ships with the console.")
HERE = Word("On this machine", "green", ":material/check_circle:", "Loads without a network.")
ABSENT = Word("Not here", "gray", ":material/cloud_download:", "Is downloaded when it is first loaded.")
UNKNOWN = Word("Not looked for yet", "gray", ":material/help:", "Looking takes some seconds, once.")


@dataclass(frozen=True, slots=True)
class Weights:
    """Where they are as a word, the place, and what to do where they are not here."""

    word: Word
    place: str
    remedy: str = ""


def can_look() -> bool:
    """Whether looking for the weights of a tag is quick: open_clip, which knows where they are, is imported, and timm
    with it."""
    return "open_clip" in sys.modules


def weights_of(card: ModelCard, models: Models, *, patiently: bool = False) -> Weights:
    """Where the weights of a model are. Without `patiently` nothing is done that takes seconds."""
    local = card.is_local or Path(card.weights).suffix != ""
    place = card.architecture.removeprefix("local-dir:") if card.is_local else card.weights
    repository = card.architecture.partition("hf-hub:")[2]
    if not local and card.library == "timm":
        place = f"repository {repository}" if repository else f"weights of timm for {card.architecture}"
    elif not local:
        place = f"weights tag {card.weights} of open_clip" if card.weights else "no weights are named"
    if not (local or repository or patiently or can_look()):
        return Weights(UNKNOWN, place)
    try:
        models.check(card.key)
    except ModelError as error:
        return Weights(ABSENT, place, f"{error.message} {error.remedy}")
    return Weights(PACKAGED if card.builtin and card.is_local else HERE, place)
