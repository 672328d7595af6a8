"""Models of timm: picture towers only. torch and timm are imported when the first one is loaded."""

from pathlib import Path
from typing import Any

from console_core.embedding import fingerprint as fingerprints
from console_core.embedding.files import LOCAL, ModelFolder
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.towers import Towers


def build(folder: ModelFolder) -> Towers:
    """The model with its weights, on the CPU in float32, without its classifier: it answers with pooled features.

    Weights are loaded by timm, which opens a pickle with weights_only, and must fit exactly. So the model is built with
    as many classes as the checkpoint has: timm leaves what is missing at random numbers where it has to change a
    classifier.
    """
    import timm
    from timm.data import resolve_model_data_config

    source = f"{LOCAL}{folder.path}"
    if folder.weights is None:
        model = timm.create_model(source, pretrained=False, num_classes=0)
    else:
        classes = _classes(folder)
        taken = {"file": str(folder.weights), "source": "", "num_classes": classes, "label_offset": 0}
        model = timm.create_model(source, pretrained=True, num_classes=classes, pretrained_cfg_overlay=taken)
        model.reset_classifier(0)
    fed = resolve_model_data_config(model)
    arguments = folder.model.get("model_args", {})
    return Towers(
        model=model,
        preprocessing=Preprocessing.of_timm(fed),
        fed=fingerprints.counting({**fed, "crop_pct": float(fed["crop_pct"])}, fingerprints.TIMM),
        architecture={"library": "timm", "architecture": folder.model["architecture"], "model_args": arguments},
        picture_tower=folder.model["architecture"],
    )


def _classes(folder: ModelFolder) -> int:
    """How many classes the checkpoint's classifier has; 0 where it has none. Older files name it by its first part."""
    import timm

    named = folder.model["pretrained_cfg"].get("classifier") or _usual_classifier(folder.model["architecture"])
    first = named if isinstance(named, str) else next(iter(named), "")
    for name in (first, first.partition(".")[0]):
        shape = _shape_of(f"{name}.weight", folder.weights or Path(), timm.models.load_state_dict)
        if len(shape) > 1:
            return shape[0]
    return 0


def _usual_classifier(architecture: str) -> Any:
    import timm

    known = timm.models.get_pretrained_cfg(architecture)
    return (known.classifier if known else None) or ""


def _shape_of(name: str, file: Path, load: Any) -> tuple[int, ...]:
    """The shape of one tensor of a checkpoint; () where it has no such tensor."""
    if file.suffix == ".safetensors":
        from safetensors import safe_open

        with safe_open(file, framework="pt") as tensors:
            return tuple(tensors.get_slice(name).get_shape()) if name in tensors.keys() else ()  # noqa: SIM118
    state = load(str(file))
    return tuple(state[name].shape) if name in state else ()
