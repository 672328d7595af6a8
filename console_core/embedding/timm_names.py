"""What timm knows of architectures and their weights, as the configuration that it writes beside weights: config.json.

Importing timm takes seconds, so it is imported where a name of its registry is asked for, and never for a folder.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from console_core.embedding.architectures import near
from console_core.errors import ModelNotLoadable, ModelUnknown

TIMM = "timm:"
HUB = "hf-hub:"
CONFIGURATION = "config.json"
_FED = ("input_size", "fixed_input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std")
_BUILT = ("num_classes", "pool_size", "first_conv", "classifier", "license")
"""What counts of a `pretrained_cfg`; anything else that stands there, a place of other weights too, is left out."""

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "BVRA/MegaDescriptor-L-384": {
        "architecture": "swin_large_patch4_window12_384",
        "num_features": 1536,
        "pretrained_cfg": {
            "input_size": [3, 384, 384],
            "fixed_input_size": True,
            "interpolation": "bilinear",
            "crop_pct": 1.0,
            "crop_mode": "squash",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "num_classes": 0,
            "first_conv": "patch_embed.proj",
            "classifier": "head.fc",
            "license": "cc-by-nc-4.0",
        },
    },
}
"""Repositories whose authors say in words how pictures are fed: torchvision's Resize((384, 384)) and
Normalize(0.5, 0.5) for MegaDescriptor, which is not how timm feeds that architecture. This stands in for the
repository's config.json."""


def read_configuration(file: Path) -> dict[str, Any]:
    """A config.json of timm, of this release or an old one, as far as it counts.

    Raises:
        ModelNotLoadable: there is none, or it is no configuration of timm.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelNotLoadable(f"{file} cannot be read: {error}.", "Copy the file again.") from error
    if not isinstance(found, dict) or not isinstance(found.get("architecture"), str):
        raise ModelNotLoadable(
            f"{file} describes no model of timm.",
            'It needs "architecture" and "pretrained_cfg", as timm.models.save_for_hf writes them.',
        )
    inner = found.get("pretrained_cfg", found)
    configured = {name: inner[name] for name in (*_FED, *_BUILT) if inner.get(name) is not None}
    if "num_classes" in found:
        configured["num_classes"] = found["num_classes"]
    arguments = {name: value for name, value in found.get("model_args", {}).items() if name != "num_classes"}
    built = {"model_args": arguments} if arguments else {}
    return {"architecture": found["architecture"], **built, "pretrained_cfg": configured}


def full_name(name: str) -> str:
    """The name of an architecture with the tag that timm itself would take; as it is where timm has no weights of it.
    Imports timm.

    Raises:
        ModelUnknown: timm has no such architecture, or no such weights of it; the remedy names those that it has.
    """
    architecture, _, tag = name.partition(".")
    known = _weights(architecture)
    if tag and tag not in known:
        existing = ", ".join(filter(None, known)) or "none"
        raise ModelUnknown(f'timm has no weights "{tag}" for {architecture}.', f"It has: {existing}.")
    usual = next((one for one, inner in known.items() if _has_weights(inner)), "")
    return f"{architecture}.{tag or usual}".rstrip(".")


def registered(name: str, *, checkpoint: bool = False) -> dict[str, Any]:
    """The configuration of a name in timm's registry, with or without a tag. Imports timm.

    Raises:
        ModelUnknown: as `full_name`.
        ModelNotLoadable: it is for a `checkpoint`, no tag is named, and weights of this architecture are fed in
            different ways.
    """
    architecture, _, tag = name.partition(".")
    known = _weights(architecture)
    if checkpoint and not tag:
        fed = [{one: inner.get(one) for one in _FED} for inner in known.values()]
        if any(one != fed[0] for one in fed):
            raise ModelNotLoadable(
                f"Weights of {architecture} are not all fed alike, so a checkpoint alone does not say how.",
                f"Name the weights that it was trained from, as in {TIMM}{full_name(architecture)}//<path>; timm has: "
                f"{', '.join(known)}. Or use a folder with {CONFIGURATION}.",
            )
    inner = known.get(full_name(name).partition(".")[2]) or next(iter(known.values()), {})
    configured = {one: inner[one] for one in (*_FED, *_BUILT) if inner.get(one) is not None}
    return {"architecture": architecture, "pretrained_cfg": configured}


def source_of(name: str) -> tuple[str, str]:
    """The repository of a tag's weights and the file in it, "" for the usual name. Imports timm.

    Raises:
        ModelNotLoadable: timm has none, or has them elsewhere, or in another form than torch's.
    """
    architecture, _, tag = name.partition(".")
    inner = _weights(architecture).get(tag, {})
    if not _has_weights(inner):
        raise ModelNotLoadable(f"timm has no weights for {name}.", f"Name a checkpoint: {TIMM}{name}//<path>.")
    if not inner.get("hf_hub_id") or inner.get("custom_load"):
        raise ModelNotLoadable(
            f"timm has {name} at {inner.get('url') or inner.get('hf_hub_id')} only, which is not loaded from here.",
            f"Download it, save its state_dict, and name that: {TIMM}{name}//<path>.safetensors.",
        )
    return inner["hf_hub_id"], inner.get("hf_hub_filename") or ""


def _has_weights(inner: Mapping[str, Any]) -> bool:
    return bool(inner.get("hf_hub_id") or inner.get("url"))


def _weights(architecture: str) -> dict[str, dict[str, Any]]:
    """What timm says of each of its weights of an architecture, by tag, its usual ones first."""
    import timm

    if not timm.is_model(architecture) or architecture in timm.models.get_deprecated_models():
        current = timm.models.get_deprecated_models().get(architecture)
        remedy = f"It is called {current} now." if current else near(architecture, tuple(timm.list_models()))
        raise ModelUnknown(f'timm has no architecture "{architecture}".', remedy)
    known = timm.models.get_arch_pretrained_cfgs(architecture)
    return {timm.models.split_model_name_tag(name)[1]: one.to_dict() for name, one in known.items()}


def shape(configuration: Mapping[str, Any]) -> tuple[int, int]:
    """The dimension of the vectors and the longer side of the picture, in pixels, found without any weights.

    timm's numbers of features are not what every model answers with, so one pass is made without numbers, on torch's
    "meta" device; only of what is PUBLISHED they are known. Imports timm; the answer is remembered.

    Raises:
        ModelUnknown: timm has no such architecture.
        ModelNotLoadable: the model is not for colour pictures, or does not answer with one vector for each.
    """
    if "num_features" in configuration:
        return configuration["num_features"], max(configuration["pretrained_cfg"]["input_size"][1:])
    return _shape(json.dumps(configuration, sort_keys=True))


@cache
def _shape(configuration: str) -> tuple[int, int]:
    import timm
    import torch
    from timm.data import resolve_model_data_config

    name = json.loads(configuration)["architecture"]
    _weights(name)
    with TemporaryDirectory(prefix="embedding-console-") as folder, torch.device("meta"), torch.inference_mode():
        Path(folder, CONFIGURATION).write_text(configuration, encoding="utf-8")
        try:
            model = timm.create_model(f"local-dir:{folder}", pretrained=False, num_classes=0).eval()
            channels, height, width = resolve_model_data_config(model)["input_size"]
            answer = model(torch.empty(2, channels, height, width))
        except Exception as error:
            raise ModelNotLoadable(
                f"timm cannot build {name} as its configuration says: {error}.", f"Correct {CONFIGURATION}."
            ) from error
    if channels != 3 or getattr(answer, "ndim", 0) != 2:
        what = f"takes pictures of {channels} channels" if channels != 3 else "answers with no single vector"
        raise ModelNotLoadable(f"{name} of timm {what}.", "Choose a model that makes one vector of a colour picture.")
    return int(answer.shape[1]), max(height, width)
