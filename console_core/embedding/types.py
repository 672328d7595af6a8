"""The words of embedding: a model card, vectors, and the protocol that every model family fulfils."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from console_core.embedding.preprocessing import Preprocessing

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, every row of length 1."""

Pixels = NDArray[np.uint8]
"""One picture as its model sees it, resized and cropped: shape (height, width, 3), RGB."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, known without its weights.

    `architecture` is an open_clip name, or `local-dir:<folder>` for a folder with an open_clip_config.json.
    `weights` is a pretrained tag, or the path of a checkpoint, or "" where the folder has the weights.
    """

    key: str
    title: str
    family: str
    architecture: str
    weights: str
    dimension: int
    image_size: int
    has_text: bool = True
    licence: str = "unknown"
    notes: str = ""
    builtin: bool = True

    @property
    def is_local(self) -> bool:
        return self.architecture.startswith("local-dir:")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything that makes two vectors comparable, and its short hash.

    Two embedders with the same `digest` give the same vectors up to rounding; vectors of different digests must
    never meet in one search. `parts` names what went in: weights, architecture, preprocessing, tokenizer, text
    template, dtype class, normalisation.
    """

    digest: str
    parts: Mapping[str, str] = field(default_factory=dict)


class Embedder(Protocol):
    """A loaded model. Preprocessing and tokenizer are the model's own. Safe to use from several threads.

    What is asked of it is a query and goes before what runs ask. A thread that embeds for a run says so:
    `with turns.background():`.
    """

    @property
    def card(self) -> ModelCard: ...

    @property
    def fingerprint(self) -> Fingerprint: ...

    @property
    def device(self) -> str:
        """Where it runs and in which precision, for people: "cpu, float32"."""
        ...

    @property
    def preprocessing(self) -> "Preprocessing":
        """How pictures are resized and cropped before they are embedded."""
        ...

    @property
    def batch(self) -> int:
        """Pictures in one forward pass now. It shrinks when the device runs out of memory, and never grows then."""
        ...

    @property
    def largest_batch(self) -> int:
        """The most that `batch` may be after `expect`."""
        ...

    @property
    def passes(self) -> int:
        """How many calls of `embed_images` at once pay on this device, each on a thread of its own."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened to this model since it was loaded, in sentences for people."""
        ...

    def slab(self, rows: int) -> NDArray[np.uint8]:
        """Memory for the pixels of so many pictures, from which this device copies quickly."""
        ...

    def expect(self, pictures: int) -> None:
        """So many pictures are about to come: prepare for them as far as they pay for it. `batch` may change.

        Raises:
            DeviceOutOfMemory: not even one picture fits.
            DeviceLost: the device does not work any more.
        """
        ...

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        """Vectors of pictures, L2-normalised. An array has the shape (n, height, width, 3).

        Raises:
            DeviceOutOfMemory: not even one picture fits.
            DeviceLost: the device does not work any more.
            ModelOutputInvalid: the model's answer is not finite.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, L2-normalised.

        Raises:
            NoTextTower: the model has none.
        """
        ...
