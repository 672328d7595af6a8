"""The fingerprint of a loaded model: one short hash over everything that makes its vectors comparable.

It depends on the contents of files and never on their place, so that the same model has the same fingerprint on
another machine.
"""

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from console_core.embedding.types import Fingerprint

DECODING = "rgb, upright by EXIF"
NORMALISATION = "L2, float32"

OPEN_CLIP = ("mode", "size", "resize_mode", "interpolation", "fill_color", "mean", "std")
TIMM = ("input_size", "interpolation", "crop_mode", "crop_pct", "mean", "std")
"""What counts of preprocessing; named here, so that another version of a library makes no other fingerprint."""

_PLACES = frozenset({"hf_tokenizer_name", "tokenizer_kwargs", "hf_model_pretrained", "timm_model_pretrained"})
"""Keys of a configuration that say where something is, or that the tokenizer's own part says."""

_digests: dict[tuple[str, int, int], str] = {}
_guard = threading.Lock()


DTYPE_CLASSES = {
    "float32": "float16 or finer",
    "float16": "float16 or finer",
    "bfloat16": "float16 or finer",
}
"""Precisions whose vectors may meet in one search: a collection built on a GPU answers queries embedded on a CPU.

All are of one class. Its label is a part of the digest that collections bear, and so it stays as it was before bfloat16
came to it. How far a precision moves vectors from float32, as 1 - cosine over 400 pictures and 90 texts of the demo:

- float16: at most 1.0e-6 (demo-clip) and 7e-7 (demo-siglip), 1e-7 in the mean; 0.1 % of the first ten answers change;
- bfloat16: at most 3.5e-4 and 1.1e-4, 8e-5 and 3e-5 in the mean; 1.6 % and 0.6 % of the first ten answers change.
  Models as small as these stay in float32 (`precision.LARGE`); ViT-B-32 with random weights moves by 1e-5 to 5e-5.

Another resizing filter moves a vector more than either.
"""


def fingerprint(
    *,
    weights: str,
    architecture: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    tokenizer: str,
    template: str = "",
    precision: str,
) -> Fingerprint:
    """Put the parts together. `weights` and `tokenizer` are digests of contents, `preprocessing` what `counting` kept.

    The text template of almost every model is "", and was always a part.
    """
    parts = {
        "weights": weights,
        "architecture": _short(_canonical(_without_places(architecture))),
        "preprocessing": _canonical(preprocessing),
        "tokenizer": tokenizer,
        "text template": template,
        "normalisation": NORMALISATION,
        "dtype": DTYPE_CLASSES[precision],
        "decoding": DECODING,
    }
    return Fingerprint(_short(_canonical(parts)), parts)


def counting(preprocessing: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What counts of a library's own words about preprocessing: OPEN_CLIP or TIMM, as lists and numbers."""
    return {name: _pair(name, preprocessing.get(name)) for name in names}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read once per process while its path, size and time of change stay the same."""
    path = path.resolve()
    state = path.stat()
    identity = (str(path), state.st_size, state.st_mtime_ns)
    with _guard:
        known = _digests.get(identity)
    if known is None:
        with path.open("rb") as stream:
            known = hashlib.file_digest(stream, "sha256").hexdigest()
        with _guard:
            _digests[identity] = known
    return known


def state_digest(model: Any) -> str:
    """SHA-256 of a torch module's parameters and buffers; for weights that come from no file."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def tokenizer_digest(files: Iterable[Path], **settings: object) -> str:
    """A digest of a tokenizer: the contents of its files and its settings (context length, cleaning)."""
    return _short(_canonical({**settings, "files": {file.name: file_digest(file) for file in files}}))


def _without_places(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_places(inner) for key, inner in value.items() if key not in _PLACES}
    return value


def _pair(name: str, value: Any) -> Any:
    """A size as height and width; open_clip writes squares both as one number and as two."""
    return [value, value] if name == "size" and isinstance(value, int) else value


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
