"""The words of embedding: a model card, vectors, and the protocol that every model family fulfils."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from console_core.embedding.preprocessing import Preprocessing

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, every row of length 1."""

Pixels = NDArray[np.uint8]
"""One picture as its model sees it, resized and cropped: shape (height, width, 3), RGB."""


PLACE = "{}"
"""Where a text template has the text."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, known without its weights.

    `architecture` is an open_clip name; `timm:<architecture>.<tag>` or `timm:hf-hub:<owner>/<name>`; or
    `local-dir:<folder>` for a folder with an open_clip_config.json, or with timm's config.json. `weights` is a tag of
    open_clip, or the path of a checkpoint, or "" where the architecture says where they are. `library` builds the
    model; one of timm has no text tower.

    `template` has PLACE once, and what a text is embedded as has the text there; "" embeds texts as they are. It moves
    vectors of texts only. It is a part of the fingerprint all the same: what a verdict and people's judgements said of
    a collection was said of searches through one template. So a collection that was built before its model's template
    changed counts as another model's, though its pictures' vectors would be the same ones. A model with another
    template is best given a key, and a collection, of its own.
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
    library: Literal["open_clip", "timm"] = "open_clip"
    template: str = ""

    @property
    def is_local(self) -> bool:
        return self.architecture.startswith("local-dir:")

    def worded(self, text: str) -> str:
        """The text as it is embedded."""
        return self.template.replace(PLACE, text) if self.template else text


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything that makes two vectors comparable, and its short hash.

    Two embedders with the same `digest` give the same vectors up to rounding; vectors of different digests must
    never meet in one search. `parts` names what went in: weights, architecture, preprocessing, tokenizer, text
    template, dtype class, normalisation. Where only tokenizer or text template differ, vectors of pictures are the
    same; the console refuses all the same, because it cannot tell who searches them by text, and how.
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
        """Vectors of texts in the card's template, L2-normalised.

        Raises:
            NoTextTower: the model has none.
        """
        ...
