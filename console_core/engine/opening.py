"""Where a pipeline runs."""

from collections.abc import Sequence

from console_core.catalog.types import ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Pipeline


def open_pipeline(images: ImageStore, embedders: Sequence[Embedder], mode: Mode) -> Pipeline:
    """A pipeline from rows to the vectors of these models, to be closed after use."""
    return ThreadPipeline(images, embedders, mode)
