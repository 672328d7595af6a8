"""A model of open_clip as a folder, whatever it came from.

open_clip reads preprocessing and tokenizer from a `local-dir:` folder. A checkpoint under a registered architecture
would silently get OpenAI's mean and deviation, a registered tokenizer name would ask the network, and a folder without
weights would silently be random. So each model is assembled in a temporary folder of links, and loaded from there.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console_core.embedding import architectures
from console_core.embedding.files import CHECKPOINTS, LOCAL, ModelFolder, checkpoint_of, from_hub, weights_in
from console_core.embedding.hub import Wanted
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable

CONFIGURATION = "open_clip_config.json"
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

_TOKENIZERS = ("tokenizer*", "*.model", "vocab.*", "merges.txt", "*_tokens*.json", "config.json")


def configuration_of(folder: Path) -> dict[str, Any]:
    """What open_clip_config.json in a folder says.

    Raises:
        ModelNotLoadable: no folder, no file, or no model configuration in it.
    """
    file = folder / CONFIGURATION
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        what = f"has no {CONFIGURATION}, and no config.json of timm" if folder.is_dir() else "is not there"
        raise ModelNotLoadable(
            f"The model folder {folder} {what}.",
            f"Put {CONFIGURATION}, weights and tokenizer files there, or config.json and model.safetensors of timm.",
        ) from error
    except (OSError, ValueError) as error:
        raise ModelNotLoadable(f"{file} cannot be read: {error}.", "Copy the file again.") from error
    if not isinstance(found, dict) or not {"vision_cfg", "text_cfg"} <= set(found.get("model_cfg", ())):
        raise ModelNotLoadable(f"{file} describes no open_clip model.", 'It needs "model_cfg" with both towers.')
    return found


@contextmanager
def assembled(card: ModelCard, *, random_weights: bool, download: bool) -> Iterator[ModelFolder]:
    """The model's folder, for the duration of the block; see `folder.assembled`."""
    with TemporaryDirectory(prefix="embedding-console-") as name:
        local = Path(card.architecture.removeprefix(LOCAL)) if card.is_local else None
        config = configuration_of(local) if local else _registered(card)
        model = config["model_cfg"]
        weights: Path | None = None
        tokenizer: tuple[Path, ...] | None = None
        if random_weights:
            with suppress(ModelNotLoadable):
                wanted = _tokenizer(model["text_cfg"], local)
                had = from_hub(wanted, download=False)[0] if isinstance(wanted, Wanted) else wanted
                tokenizer = tuple(had)
        else:
            weights, tokenizer = _weights_and_tokenizer(card, model["text_cfg"], local, download)
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


def _weights_and_tokenizer(
    card: ModelCard, text: Mapping[str, Any], local: Path | None, download: bool
) -> tuple[Path, tuple[Path, ...]]:
    """Both. Where the hub has to give both, it is asked for them at once, and one error names what is missing."""
    weights = _weights(card, local)
    tokenizer = _tokenizer(text, local)
    wanted = [one for one in (weights, tokenizer) if isinstance(one, Wanted)]
    had = dict(zip(wanted, from_hub(*wanted, download=download), strict=True))
    return (
        had[weights][0] if isinstance(weights, Wanted) else weights,
        tuple(had[tokenizer]) if isinstance(tokenizer, Wanted) else tokenizer,
    )


def _weights(card: ModelCard, local: Path | None) -> Path | Wanted:
    if local and not card.weights:
        return weights_in(local, WEIGHTS)
    if not card.weights:
        raise ModelNotLoadable(
            f"{card.key} names no weights.",
            f"Add a tag, as in {card.architecture}/<tag>, the path of a checkpoint, or a local-dir:<folder>.",
        )
    if (file := checkpoint_of(card)) is not None:
        return file
    repository, _, file_name = architectures.tag_settings(card.architecture, card.weights)["hf_hub"].rpartition("/")
    names = WEIGHTS[0], "open_clip_pytorch_model.bin"
    if file_name:
        names = str(Path(file_name).with_suffix(".safetensors")), file_name
    return Wanted(repository, names, instead=_instead(card, names[0]))


def _instead(card: ModelCard, weights: str) -> str:
    """How the files can be given without the hub's cache."""
    vocabulary = architectures.configuration(card.architecture)["text_cfg"].get("hf_tokenizer_name", "")
    tokenizer = f", and tokenizer.json and tokenizer_config.json of {vocabulary}" if vocabulary else ""
    return (
        f"Or put {CONFIGURATION} and {weights} of that repository{tokenizer} into a folder, and name it in "
        'console.toml: architecture = "local-dir:<folder>".'
    )


def _tokenizer(text: Mapping[str, Any], local: Path | None) -> tuple[Path, ...] | Wanted:
    """Files of the tokenizer; none where open_clip's own is used."""
    repository = text.get("hf_tokenizer_name", "")
    if local is None:
        said = f"the tokenizer of {repository} (tokenizer.json and tokenizer_config.json, or what it has of such)"
        wanted = Wanted(repository, TOKENIZER, first=False, needed=_VOCABULARIES, said=said, patterns=_TOKENIZERS)
        return wanted if repository else ()
    if not repository:
        return (local / MERGES,) if (local / MERGES).is_file() else ()
    files = tuple(local / name for name in TOKENIZER if (local / name).is_file())
    if not any(file.name in _VOCABULARIES for file in files):
        raise ModelNotLoadable(
            f"The model folder {local} has no tokenizer.",
            f"Put tokenizer.json and tokenizer_config.json of {repository} there.",
        )
    return files


def _with_text_tower(config: dict[str, Any], download: bool) -> dict[str, Any]:
    """The configuration, where a text tower of transformers finds its own configuration without the network."""
    text = config["model_cfg"]["text_cfg"]
    repository = text.get("hf_model_name", "")
    if not repository or Path(repository).is_dir():
        return config
    folder = from_hub(Wanted(repository, ("config.json",)), download=download)[0][0].parent
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
