"""A model of timm as a folder: the config.json that timm builds it from, and the file of its weights.

timm would download by itself, take the first checkpoint that it finds, and leave what is missing in one at random
numbers where the number of classes differs. So what it is given is written and found here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console_core.embedding.files import LOCAL, ModelFolder, checkpoint_of, from_hub, weights_in
from console_core.embedding.hub import Wanted
from console_core.embedding.timm_names import (
    CONFIGURATION,
    HUB,
    PUBLISHED,
    TIMM,
    read_configuration,
    registered,
    source_of,
)
from console_core.embedding.types import ModelCard

WEIGHTS = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")
_SAFE = {"open_clip_pytorch_model.bin": "open_clip_model.safetensors"}


@contextmanager
def assembled(card: ModelCard, *, random_weights: bool, download: bool) -> Iterator[ModelFolder]:
    """The model's folder, for the duration of the block; see `folder.assembled`."""
    configuration = configuration_of(card.architecture, checkpoint=bool(card.weights), download=download)
    weights = None if random_weights else _weights(card, download)
    with TemporaryDirectory(prefix="embedding-console-") as name:
        (Path(name) / CONFIGURATION).write_text(json.dumps(configuration), encoding="utf-8")
        yield ModelFolder(Path(name), configuration, weights, (), has_tokenizer=False)


def configuration_of(architecture: str, *, checkpoint: bool, download: bool) -> dict[str, Any]:
    """What config.json says, or would say, of a card's architecture. Imports timm for a name of its registry.

    Raises:
        ModelUnknown: timm has no such architecture or tag.
        ModelNotLoadable: the folder or the repository has no such file, it cannot be had, or a `checkpoint` needs one.
    """
    if architecture.startswith(LOCAL):
        return read_configuration(Path(architecture.removeprefix(LOCAL)) / CONFIGURATION)
    named = architecture.removeprefix(TIMM)
    if not named.startswith(HUB):
        return registered(named, checkpoint=checkpoint)
    repository = named.removeprefix(HUB)
    if repository in PUBLISHED:
        return dict(PUBLISHED[repository])
    wanted = Wanted(
        repository,
        (CONFIGURATION,),
        said=f"{CONFIGURATION} and {' or '.join(WEIGHTS[:2])}",
        patterns=(CONFIGURATION, *WEIGHTS[:2]),
        instead=_instead(CONFIGURATION),
    )
    return read_configuration(from_hub(wanted, download=download)[0][0])


def _weights(card: ModelCard, download: bool) -> Path:
    if (file := checkpoint_of(card)) is not None:
        return file
    if card.is_local:
        return weights_in(Path(card.architecture.removeprefix(LOCAL)), WEIGHTS)
    named = card.architecture.removeprefix(TIMM)
    if named.startswith(HUB):
        repository, names = named.removeprefix(HUB), WEIGHTS[:2]
        instead = _instead(CONFIGURATION) if repository not in PUBLISHED else _instead("")
    else:
        repository, file_name = source_of(named)
        safe = _SAFE.get(file_name) or str(Path(file_name).with_suffix(".safetensors")) if file_name else ""
        names, instead = (safe, file_name) if safe else WEIGHTS[:2], _instead("")
    wanted = Wanted(repository, names, instead=instead.format(architecture=card.architecture))
    return from_hub(wanted, download=download)[0][0]


def _instead(configuration: str) -> str:
    """How the files can be given without the hub's cache."""
    if configuration:
        return (
            f"Or put {configuration} and {WEIGHTS[0]} of that repository into a folder, and name it in console.toml: "
            'architecture = "local-dir:<folder>".'
        )
    return (
        'Or put the file anywhere, and name both in console.toml: architecture = "{architecture}" and '
        'weights = "<path of the file>".'
    )
