"""A model as a folder: every source of weights is brought into the one form that open_clip loads without guessing.

open_clip reads preprocessing and tokenizer from a `local-dir:` folder. A checkpoint under a registered architecture
would silently get OpenAI's mean and deviation, a registered tokenizer name would ask the network, and a folder without
weights would silently be random. So each model is assembled in a temporary folder of links, and loaded from there.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console_core.embedding import architectures, hub
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable

LOCAL = "local-dir:"
CONFIGURATION = "open_clip_config.json"
CHECKPOINTS = (".safetensors", ".bin", ".pth", ".pt")
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
MERGES = "bpe.txt.gz"
_VOCABULARIES = (
    "tokenizer.json",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "vocab.txt",
    "vocab.json",
)
TOKENIZER = (
    *_VOCABULARIES,
    *("merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    "config.json",  # says which kind of tokenizer it is, where tokenizer_config.json does not
)


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder that open_clip can load. `model` is its configuration as the source gave it.

    `weights` is None for random weights. `tokenizer` are the files of a tokenizer of its own; `has_tokenizer` is
    False where random weights were asked for and the tokenizer is not on this machine.
    """

    path: Path
    model: Mapping[str, Any]
    weights: Path | None
    tokenizer: tuple[Path, ...]
    has_tokenizer: bool = True


def configuration_of(folder: Path) -> dict[str, Any]:
    """What open_clip_config.json in a folder says.

    Raises:
        ModelNotLoadable: no folder, no file, or no model configuration in it.
    """
    file = folder / CONFIGURATION
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        what = f"has no {CONFIGURATION}" if folder.is_dir() else "is not there"
        raise ModelNotLoadable(
            f"The model folder {folder} {what}.", f"Put {CONFIGURATION}, the weights and tokenizer files there."
        ) from error
    except (OSError, ValueError) as error:
        raise ModelNotLoadable(f"{file} cannot be read: {error}.", "Copy the file again.") from error
    if not isinstance(found, dict) or not {"vision_cfg", "text_cfg"} <= set(found.get("model_cfg", ())):
        raise ModelNotLoadable(f"{file} describes no open_clip model.", 'It needs "model_cfg" with both towers.')
    return found


@contextmanager
def assembled(card: ModelCard, *, random_weights: bool = False, download: bool = True) -> Iterator[ModelFolder]:
    """The model's folder, for the duration of the block. Weights are linked, not copied.

    Raises:
        ModelUnknown: open_clip does not have this architecture or this pair.
        ModelNotLoadable: a file is missing and cannot be, or with `download` False must not be, downloaded.
    """
    with TemporaryDirectory(prefix="embedding-console-") as name:
        local = Path(card.architecture.removeprefix(LOCAL)) if card.is_local else None
        config = configuration_of(local) if local else _registered(card)
        model = config["model_cfg"]
        weights = None if random_weights else _weights(card, local, download)
        try:
            tokenizer = _tokenizer(model["text_cfg"], local, download and not random_weights)
        except ModelNotLoadable:
            if not random_weights:
                raise
            tokenizer = None
        loadable = _with_text_tower(config, download)
        _write(Path(name), loadable, weights, tokenizer or ())
        yield ModelFolder(Path(name), model, weights, tokenizer or (), tokenizer is not None)


def _registered(card: ModelCard) -> dict[str, Any]:
    model = architectures.configuration(card.architecture)
    if card.weights and not card.weights.endswith(CHECKPOINTS):
        settings = architectures.tag_settings(card.architecture, card.weights)
        if settings.get("quick_gelu"):  # open_clip only warns, and answers with slightly wrong vectors
            model["quick_gelu"] = True
        preprocessing = {name: settings[name] for name in architectures.PREPROCESSING if name in settings}
        return {"model_cfg": model, "preprocess_cfg": preprocessing}
    common = architectures.common_preprocessing(card.architecture)
    if common is None and card.weights:
        raise ModelNotLoadable(
            f"Weights of {card.architecture} are not all fed alike, so a checkpoint alone does not say how.",
            f"Put the checkpoint into a folder with an {CONFIGURATION} that has model_cfg and preprocess_cfg (mean, "
            'std, interpolation, resize_mode), and use architecture = "local-dir:<folder>".',
        )
    return {"model_cfg": model, "preprocess_cfg": common or {}}


def _weights(card: ModelCard, local: Path | None, download: bool) -> Path:
    if local and not card.weights:
        return _weights_in(local)
    if not card.weights:
        raise ModelNotLoadable(
            f"{card.key} names no weights.",
            f"Add a tag, as in {card.architecture}/<tag>, the path of a checkpoint, or a local-dir:<folder>.",
        )
    if card.weights.endswith(CHECKPOINTS):
        file = Path(card.weights)
        if not file.is_file():
            raise ModelNotLoadable(f"There is no checkpoint at {file}.", "Correct the path or put the file there.")
        return file
    repository, _, file_name = architectures.tag_settings(card.architecture, card.weights)["hf_hub"].rpartition("/")
    names = WEIGHTS[0], "open_clip_pytorch_model.bin"
    if file_name:
        names = str(Path(file_name).with_suffix(".safetensors")), file_name
    return _from_hub(repository, names, download)[0]


def _weights_in(folder: Path) -> Path:
    """The file that open_clip would take: the first well-known name, else the only checkpoint."""
    files = sorted(file for file in folder.iterdir() if file.suffix in CHECKPOINTS)
    known = sorted((file for file in files if file.name in WEIGHTS), key=lambda file: WEIGHTS.index(file.name))
    if known or len(files) == 1:
        return (known or files)[0]
    there = f"several checkpoints ({', '.join(file.name for file in files)})" if files else "no weights"
    raise ModelNotLoadable(f"The model folder {folder} has {there}.", f"Put one there and call it {WEIGHTS[0]}.")


def _tokenizer(text: Mapping[str, Any], local: Path | None, download: bool) -> tuple[Path, ...]:
    """Files of the tokenizer; none where open_clip's own is used."""
    repository = text.get("hf_tokenizer_name", "")
    if local is None:
        return tuple(_from_hub(repository, TOKENIZER, download)) if repository else ()
    if not repository:
        return (local / MERGES,) if (local / MERGES).is_file() else ()
    files = tuple(local / name for name in TOKENIZER if (local / name).is_file())
    if not any(file.name in _VOCABULARIES for file in files):
        raise ModelNotLoadable(
            f"The model folder {local} has no tokenizer.",
            f"Put tokenizer.json and tokenizer_config.json of {repository} there.",
        )
    return files


def _from_hub(repository: str, names: tuple[str, ...], download: bool) -> list[Path]:
    files = hub.cached(repository, names)
    if names is TOKENIZER and not any(file.name in _VOCABULARIES for file in files):
        files = []
    if files:
        return files
    if not download:
        raise hub.missing(repository, names, "nothing is downloaded now")
    return hub.fetch(repository, names, first=names is not TOKENIZER)


def _with_text_tower(config: dict[str, Any], download: bool) -> dict[str, Any]:
    """The configuration, where a text tower of transformers finds its own configuration without the network."""
    text = config["model_cfg"]["text_cfg"]
    repository = text.get("hf_model_name", "")
    if not repository or Path(repository).is_dir():
        return config
    folder = _from_hub(repository, ("config.json",), download)[0].parent
    return {**config, "model_cfg": {**config["model_cfg"], "text_cfg": {**text, "hf_model_name": str(folder)}}}


def _write(path: Path, config: Mapping[str, Any], weights: Path | None, tokenizer: tuple[Path, ...]) -> None:
    (path / CONFIGURATION).write_text(json.dumps(config), encoding="utf-8")
    links = [(file, file.name) for file in tokenizer]
    if weights:
        links.append((weights, WEIGHTS[0] if weights.suffix == ".safetensors" else "open_clip_pytorch_model.bin"))
    for file, name in links:
        try:
            (path / name).symlink_to(file.resolve())
        except OSError:  # a file system or a user without links
            shutil.copyfile(file, path / name)
