"""What open_clip knows about architectures and their weights tags.

Configurations are read from the JSON files of the installed open_clip, because importing it takes seconds; only the
tags need the import.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from console_core.errors import ModelNotLoadable, ModelUnknown

PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
"""What a tag says about preprocessing, under open_clip's names."""


@cache
def _files() -> dict[str, Path]:
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise ModelNotLoadable("open_clip is not installed.", "Run `pip install open_clip_torch`.")
    folder = Path(next(iter(spec.submodule_search_locations))) / "model_configs"
    return {file.stem: file for file in sorted(folder.glob("*.json"))}


def names() -> tuple[str, ...]:
    """All architectures of the installed open_clip."""
    return tuple(_files())


def configuration(architecture: str) -> dict[str, Any]:
    """A fresh copy of open_clip's configuration of a registered architecture.

    Raises:
        ModelUnknown: open_clip has no such architecture; the remedy names similar ones.
    """
    file = _files().get(architecture)
    if file is None:
        raise ModelUnknown(f'open_clip has no architecture "{architecture}".', near(architecture, names()))
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def tags(architecture: str) -> tuple[str, ...]:
    """The weights tags that open_clip has for an architecture. Imports torch."""
    import open_clip

    return tuple(open_clip.list_pretrained_tags_by_model(architecture))


def tag_settings(architecture: str, tag: str) -> Mapping[str, Any]:
    """What open_clip says about one pair: where its weights are and how its pictures are prepared. Imports torch.

    Raises:
        ModelUnknown: no such architecture, or none of its weights has this tag; the remedy names those that exist.
    """
    import open_clip

    configuration(architecture)
    found: Mapping[str, Any] = open_clip.get_pretrained_cfg(architecture, tag)
    if not found:
        existing = ", ".join(tags(architecture)) or "none; name a local-dir:<folder> or a checkpoint file"
        raise ModelUnknown(f'open_clip has no weights "{tag}" for {architecture}.', f"It has: {existing}.")
    return found


def common_preprocessing(architecture: str) -> dict[str, Any] | None:
    """How all weights of an architecture prepare pictures; {} where it has none, None where they disagree."""
    seen = [
        {name: settings[name] for name in PREPROCESSING if name in settings}
        for settings in (tag_settings(architecture, tag) for tag in tags(architecture))
    ]
    if any(one != seen[0] for one in seen):
        return None
    return seen[0] if seen else {}


def shape(configured: Mapping[str, Any]) -> tuple[int, int]:
    """The dimension of the vectors and the side of the picture, in pixels, of a model configuration.

    Raises:
        ModelNotLoadable: it is not the configuration of an open_clip model.
    """
    try:
        side = configured["vision_cfg"].get("image_size", 224)
        return int(configured["embed_dim"]), int(side if isinstance(side, int) else max(side))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelNotLoadable(
            f"The model configuration says no {error}.",
            "It must have embed_dim and vision_cfg, as open_clip writes it.",
        ) from error


def near(name: str, known: tuple[str, ...]) -> str:
    """A remedy that names what is similar, or what there is."""
    lowered = {one.lower(): one for one in known}
    similar = [lowered[one] for one in get_close_matches(name.lower(), lowered, n=4, cutoff=0.5)]
    return f"Did you mean {', '.join(similar)}?" if similar else f"There are: {', '.join(known)}."
