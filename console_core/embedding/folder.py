"""A model as a folder: every source of weights is brought into the one form that its library loads without guessing."""

from collections.abc import Iterator
from contextlib import contextmanager

from console_core.embedding import openclip_folder, timm_folder
from console_core.embedding.files import ModelFolder
from console_core.embedding.types import ModelCard


@contextmanager
def assembled(card: ModelCard, *, random_weights: bool = False, download: bool = True) -> Iterator[ModelFolder]:
    """The model's folder, for the duration of the block. Weights are linked, not copied.

    Raises:
        ModelUnknown: its library does not have this architecture or this pair.
        ModelNotLoadable: a file is missing and cannot be, or with `download` False must not be, downloaded.
    """
    assemble = timm_folder.assembled if card.library == "timm" else openclip_folder.assembled
    with assemble(card, random_weights=random_weights, download=download) as folder:
        yield folder
