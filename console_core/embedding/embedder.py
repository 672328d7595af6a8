"""The one embedder of loaded models, whichever library built them: batches, turns, and answers that are vectors."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from console_core.embedding import compiling
from console_core.embedding.batches import Batches, Pass
from console_core.embedding.device import Placement, slab, turn
from console_core.embedding.device_errors import first_line
from console_core.embedding.forward import Forward
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.sizing import Sizing
from console_core.embedding.types import Fingerprint, ModelCard, Pixels, Vectors
from console_core.embedding.use import Use
from console_core.embedding.wiring import Declared, Fact, Otherwise, facts
from console_core.errors import ModelOutputInvalid, NoTextTower

T = TypeVar("T")


class TorchEmbedder:
    """A loaded model of any library. Safe to use from several threads; forward passes of one device take turns."""

    def __init__(
        self,
        card: ModelCard,
        placement: Placement,
        fingerprint: Fingerprint,
        forward: Forward,
        tokenizer: Callable[[list[str]], Any] | None,
        sizing: Sizing,
        *,
        compiles: bool = False,
        declared: Declared | None = None,
    ) -> None:
        """`declared` is what its files say of it; without that it cannot be compared with them."""
        self._card = card
        self._placement = placement
        self._fingerprint = fingerprint
        self._forward = forward
        self._tokenizer = tokenizer
        self._tokenizing = threading.Lock()
        self._sizing = sizing
        self._compiles = compiles
        self._declared = declared
        self._turn = turn(placement.device)
        self._images: Batches[Pixels] = Batches(sizing.first(), self._turn, fixed=placement.is_cuda)
        self._texts: Batches[str] = Batches(placement.batch, self._turn)
        self.use = Use()

    @property
    def card(self) -> ModelCard:
        return self._card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._fingerprint

    @property
    def device(self) -> str:
        """Where it runs and in which precision, for people: "cpu, float32"."""
        return self._placement.label

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures are resized and cropped before they are embedded."""
        return self._forward.preprocessing

    @property
    def batch(self) -> int:
        """Pictures in one forward pass; fewer after the device ran out of memory."""
        return self._images.limit

    @property
    def largest_batch(self) -> int:
        """The most that `batch` may be after `expect`: twice as many as now, where the device was not probed."""
        return self._sizing.largest(self._images)

    @property
    def passes(self) -> int:
        """How many forward passes at once pay on this device."""
        return self._turn.passes

    @property
    def memory(self) -> int:
        """Bytes of weights on the device."""
        return self._forward.memory

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened to this model since it was loaded, in sentences."""
        halved = f"Batch halved to {self.batch}: the device ran out of memory."
        return (*((halved,) if self._images.halved else ()), *self._forward.notes)

    def slab(self, rows: int) -> NDArray[np.uint8]:
        """Memory for so many pictures, from which this device copies quickly."""
        preprocessing = self._forward.preprocessing
        return slab(self._placement, rows, preprocessing.height, preprocessing.width)

    def expect(self, pictures: int) -> None:
        """So many pictures are about to come. On CUDA, finds the best batch and compiles, where that many pay for it.

        Raises:
            DeviceOutOfMemory: not even one picture fits.
            DeviceLost: the device does not work any more.
        """
        with self.use:
            self._sizing.expect(pictures, self._images, self._turn)
            if self._compiles and pictures >= compiling.COMPILED_FROM:
                self._forward.compile()

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        """Vectors of pictures: float32, (n, dimension), every row of length 1.

        Raises:
            DeviceOutOfMemory: not even one picture fits.
            DeviceLost: the device does not work any more.
            ModelOutputInvalid: the model's answer is not finite, or has no length.
        """
        vectors = self._run(self._images, self._forward_images, cast(Sequence[Pixels], pixels))
        if self._images.halved:
            self._sizing.did_not_fit()
        return vectors

    def embed_texts_otherwise(self, texts: Sequence[str], way: Otherwise) -> Vectors | None:
        """Vectors of texts in another way; see `wiring.Inspectable`."""
        self._texts_tokenizer()
        other = self._forward.otherwise(way, texts=True)
        return None if other is None else self._embedded_texts(texts, other)

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts in the card's template: float32, (n, dimension), every row of length 1. Too long texts are
        cut by the tokenizer.

        Raises:
            NoTextTower: the model has none, or random weights were loaded without their tokenizer.
            DeviceOutOfMemory, DeviceLost, ModelOutputInvalid: as for pictures.
        """
        return self._embedded_texts(texts, self._forward)

    def _embedded_texts(self, texts: Sequence[str], forward: Forward) -> Vectors:
        tokenizer = self._texts_tokenizer()

        def embed(some: Sequence[str], turn: Pass) -> Vectors:
            with self._tokenizing:  # tokenizers of transformers refuse a second thread: "Already borrowed"
                tokens = tokenizer([self._card.worded(text) for text in some])
            return self._normalised(forward.texts(tokens, turn))

        return self._run(self._texts, embed, texts)

    def wiring(self) -> tuple[Fact, ...]:
        """What its files say of it beside what it does; see `wiring.Inspectable`."""
        if self._declared is None:
            return ()
        with self.use, self._tokenizing:
            return facts(self._declared, self._forward.model, self._forward.prepares, self._tokenizer)

    def embed_otherwise(self, pixels: Sequence[Pixels] | NDArray[np.uint8], way: Otherwise) -> Vectors | None:
        """Vectors of pictures in another way; see `wiring.Inspectable`."""
        other = self._forward.otherwise(way)
        if other is None:
            return None
        batches: Batches[Pixels] = Batches(self.batch, self._turn)
        return self._run(
            batches,
            lambda rows, turn: self._normalised(other.images(_rows(rows), turn)),
            cast(Sequence[Pixels], pixels),
        )

    def _run(self, batches: Batches[T], forward: Callable[[Sequence[T], Pass], Vectors], items: Sequence[T]) -> Vectors:
        if not len(items):
            return np.empty((0, self._card.dimension), dtype=np.float32)
        with self.use:
            try:
                return batches.run(forward, items)
            except (RuntimeError, ValueError, AssertionError) as error:
                raise ModelOutputInvalid(
                    f"{self._card.title} failed on {self.device}: {first_line(error)}",
                    'Try again; if it fails again on a graphics card, restart the console or use device = "cpu".',
                ) from error

    def _forward_images(self, pixels: Sequence[Pixels], turn: Pass) -> Vectors:
        rows = _rows(pixels)
        size = self.preprocessing.height, self.preprocessing.width, 3
        if rows.shape[1:] != size:  # a convolutional network would answer all the same
            raise ValueError(f"pictures of the shape {rows.shape[1:]}, where it takes {size}.")
        return self._normalised(self._forward.images(rows, turn))

    def _texts_tokenizer(self) -> Callable[[list[str]], Any]:
        if self._tokenizer is None or not self._card.has_text:
            raise NoTextTower(f"{self._card.title} cannot embed texts.", "Search by picture, or choose another model.")
        return self._tokenizer

    def _normalised(self, output: NDArray[np.float32]) -> Vectors:
        lengths = np.linalg.norm(output, axis=1, keepdims=True)
        wrong = int(np.count_nonzero(~np.isfinite(lengths) | (lengths == 0)))
        if wrong:
            raise ModelOutputInvalid(
                f"{self._card.title} answered with {wrong} of {len(output)} vectors that are not finite or have no "
                "length.",
                "Check the weights; embed the pictures one by one to find which of them it cannot answer for.",
            )
        vectors: Vectors = (output / lengths).astype(np.float32, copy=False)
        return vectors


def _rows(pixels: Sequence[Pixels]) -> NDArray[np.uint8]:
    return np.require(pixels, requirements=["C", "W"])
