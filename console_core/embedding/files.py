"""The files of a model: which are there, which is taken, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console_core.embedding import hub
from console_core.embedding.hub import Wanted
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable

LOCAL = "local-dir:"
CHECKPOINTS = (".safetensors", ".bin", ".pth", ".pt")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that the card's library can load. `model` is its configuration as the source gave it.

    `weights` is None for random weights. `tokenizer` are the files of a tokenizer of its own; `has_tokenizer` is
    False where the model has no text tower, or random weights were asked for and the tokenizer is not on this machine.
    """

    path: Path
    model: Mapping[str, Any]
    weights: Path | None
    tokenizer: tuple[Path, ...]
    has_tokenizer: bool = True


def checkpoint_of(card: ModelCard) -> Path | None:
    """The file that a card names as its weights; None where it names none.

    Raises:
        ModelNotLoadable: it is not there.
    """
    if not card.weights.endswith(CHECKPOINTS):
        return None
    file = Path(card.weights)
    if not file.is_file():
        raise ModelNotLoadable(f"There is no checkpoint at {file}.", "Correct the path or put the file there.")
    return file


def weights_in(folder: Path, names: tuple[str, ...]) -> Path:
    """The file of weights in a folder: the first of these names, else the only checkpoint.

    Raises:
        ModelNotLoadable: there is none, or several without such a name.
    """
    files = sorted(file for file in folder.iterdir() if file.suffix in CHECKPOINTS)
    known = sorted((file for file in files if file.name in names), key=lambda file: names.index(file.name))
    if known or len(files) == 1:
        return (known or files)[0]
    there = f"several checkpoints ({', '.join(file.name for file in files)})" if files else "no weights"
    raise ModelNotLoadable(f"The model folder {folder} has {there}.", f"Put one there and call it {names[0]}.")


def from_hub(*several: Wanted, download: bool) -> list[list[Path]]:
    """Files of repositories, from the cache, else downloaded: for each, one of alternatives, or all that there are.

    Raises:
        ModelNotLoadable: some are not here, and cannot be, or with `download` False must not be, downloaded.
    """
    found = {wanted: hub.cached(wanted) for wanted in several}
    lacking = [wanted for wanted, files in found.items() if not files]
    if lacking and not download:
        raise hub.missing(lacking, "nothing is downloaded now")
    if lacking:
        found |= zip(lacking, hub.fetch(lacking), strict=True)
    return [found[wanted] for wanted in several]
