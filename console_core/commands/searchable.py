"""Which collections could be searched no more if console.toml said something else of a model. Nothing is changed."""

from pathlib import Path

from console_core.console import Console
from console_core.embedding.fingerprint import file_digest
from console_core.settings import ModelSettings
from console_core.vectorstore.types import CollectionInfo


def made_by(console: Console, model: str) -> list[CollectionInfo]:
    """The collections that say the model made them; where it is in memory, those that it made as it is now.

    Raises:
        StoreError
    """
    found = [info for info in console.store.collections() if info.stamp is not None and info.stamp.model == model]
    if model not in console.models.resident():
        return found
    digest = console.models.get(model).fingerprint.digest
    return [info for info in found if info.stamp is not None and info.stamp.fingerprint == digest]


def is_another(before: ModelSettings, after: ModelSettings, workspace: Path) -> bool:
    """Whether a model of console.toml would make other vectors: another architecture, other weights, another text
    template. Its title makes no difference, nor does a checkpoint with the same bytes.
    """
    if (before.architecture, before.template) != (after.architecture, after.template):
        return True
    return before.weights != after.weights and not _same_bytes(workspace / before.weights, workspace / after.weights)


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return file_digest(one.expanduser()) == file_digest(other.expanduser())
    except OSError:
        return False
