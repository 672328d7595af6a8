"""Cards of timm's models, from what people write: a name, a repository, a folder, a checkpoint."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from console_core.embedding.files import CHECKPOINTS, LOCAL
from console_core.embedding.openclip_folder import CONFIGURATION as OPEN_CLIP
from console_core.embedding.remembered import Remembered
from console_core.embedding.timm_folder import configuration_of
from console_core.embedding.timm_names import CONFIGURATION, HUB, TIMM, full_name, registered, shape
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable, ModelUnknown

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def is_folder(folder: Path) -> bool:
    """Whether a folder is one of timm: with its config.json, and without that of open_clip."""
    return (folder / CONFIGURATION).is_file() and not (folder / OPEN_CLIP).is_file()


def split(text: str) -> tuple[str, str]:
    """`timm:<what>` or `timm:<what>/<path of a checkpoint>` as the architecture of a card and its weights.

    Raises:
        ModelNotLoadable: the checkpoint is not there.
    """
    if not text.endswith(CHECKPOINTS):
        return text, ""
    parts = text.split("/", 2 if text.startswith(f"{TIMM}{HUB}") else 1)
    file = Path(parts[-1]).expanduser().resolve()
    if not file.is_file():
        raise ModelNotLoadable(f"There is no checkpoint at {file}.", "Correct the path or put the file there.")
    return "/".join(parts[:-1]), str(file)


Facts = tuple[str, int, int, str]
"""Name, dimension, size of the picture and licence."""


class KnownModels(Remembered[Facts]):
    """What timm said of models, so that it need not be imported, and they need not be built, at each start."""

    FILE = "timm_models.json"

    def _valid(self, read: Any) -> Facts | None:
        if not isinstance(read, list) or [type(one) for one in read] != [str, int, int, str]:
            return None
        name, dimension, image_size, licence = read
        return name, dimension, image_size, licence


def card_of(architecture: str, weights: str, *, download: bool, known: KnownModels | None = None) -> ModelCard:
    """The card; `weights` is a tag, the path of a checkpoint, or "".

    Imports timm, and builds the model without weights, unless this release of timm was asked before and `known` has it.

    Raises:
        ModelUnknown: timm has no such architecture or tag, or it is no name of a repository.
        ModelNotLoadable: the folder or the repository has no config.json, or that cannot be had.
    """
    checkpoint = weights.endswith(CHECKPOINTS)
    configuration, name = None, architecture.removeprefix(TIMM)
    if name.startswith(HUB):
        repository = name.removeprefix(HUB)
        if not _REPOSITORY.fullmatch(repository) or (weights and not checkpoint):
            raise ModelUnknown(
                f'"{repository}/{weights}" is no repository of the hub.'.replace('/"', '"'),
                f"Write {TIMM}{HUB}<owner>/<name>; another revision is downloaded and named as a local-dir:<folder>.",
            )
        title = repository.partition("/")[2]
        configuration = configuration_of(architecture, checkpoint=checkpoint, download=download)
    elif architecture.startswith(LOCAL):
        title = Path(architecture.removeprefix(LOCAL)).name
        configuration = configuration_of(architecture, checkpoint=checkpoint, download=download)
    elif weights and not checkpoint:
        name, weights = f"{name}.{weights}", ""
    known = known or KnownModels()
    asked = f"timm {version('timm')}: {json.dumps([name, checkpoint, configuration], sort_keys=True)}"
    if (facts := known.get(asked)) is None:
        facts = _asked(name, checkpoint, configuration)
        known.put(asked, facts)
    name, dimension, image_size, licence = facts
    if configuration is None:
        architecture, title = f"{TIMM}{name}", " ".join(name.split(".", 1))
    return ModelCard(
        key=f"{architecture}/{weights}" if weights else architecture,
        title=f"{title} ({Path(weights).name})" if weights else title,
        family="timm",
        architecture=architecture,
        weights=weights,
        dimension=dimension,
        image_size=image_size,
        has_text=False,
        licence=licence,
        builtin=False,
        library="timm",
    )


def _asked(name: str, checkpoint: bool, configuration: dict[str, Any] | None) -> Facts:
    if configuration is None:
        name = name if checkpoint else full_name(name)
        configuration = registered(name, checkpoint=checkpoint)
    dimension, image_size = shape(configuration)
    return name, dimension, image_size, configuration["pretrained_cfg"].get("license") or "unknown"
