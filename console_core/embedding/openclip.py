"""Models of open_clip: CLIP, SigLIP and their kin. torch and open_clip are imported when the first one is loaded."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from console_core.embedding import compiling
from console_core.embedding import fingerprint as fingerprints
from console_core.embedding import precision as precisions
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.batches import Batches, Pass
from console_core.embedding.device import Placement, place, slab, turn
from console_core.embedding.device_errors import first_line, is_out_of_memory, loss_told
from console_core.embedding.folder import LOCAL, MERGES, ModelFolder, assembled
from console_core.embedding.forward import Forward
from console_core.embedding.precision import Wanted
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.sizing import Sizing
from console_core.embedding.types import Fingerprint, ModelCard, Pixels, Vectors
from console_core.embedding.use import Use
from console_core.errors import (
    ConsoleError,
    DeviceOutOfMemory,
    ModelNotLoadable,
    ModelOutputInvalid,
    NoTextTower,
)

T = TypeVar("T")


def load(
    card: ModelCard,
    device: str | Placement = "auto",
    *,
    precision: Wanted = "auto",
    sizes: BatchSizes | None = None,
    random_weights: bool = False,
) -> "OpenClipEmbedder":
    """Load a model onto "auto", "cpu", "cuda" or "cuda:<n>". Reads safetensors, or pickles without running their code.

    `sizes` remembers batch sizes over restarts. `random_weights` is for tests and benchmarks: the vectors mean nothing,
    and the fingerprint says so.

    Raises:
        ModelUnknown: open_clip does not have this architecture or this pair.
        ModelNotLoadable: files are missing or wrong, or the device is not there.
        DeviceOutOfMemory: the weights do not fit.
        DeviceLost: the device does not work any more.
    """
    placement = device if isinstance(device, Placement) else place(device, precision)
    with assembled(card, random_weights=random_weights) as folder:
        try:
            with loss_told(placement.device):
                return _load(card, placement, folder, sizes or BatchSizes())
        except ConsoleError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise DeviceOutOfMemory(
                    f"The weights of {card.title} do not fit into the memory of {placement.device}.",
                    "Unload other models or use a smaller one.",
                ) from error
            raise ModelNotLoadable(
                f"{card.title} cannot be loaded from {folder.weights or folder.path}: {first_line(error)}",
                "The file must be an intact open_clip checkpoint of this architecture (safetensors, or a state_dict "
                "saved by torch.save); copy it again, or correct open_clip_config.json.",
            ) from error


def _load(card: ModelCard, placement: Placement, folder: ModelFolder, sizes: BatchSizes) -> "OpenClipEmbedder":
    import open_clip
    import torch

    source = f"{LOCAL}{folder.path}"
    model = open_clip.create_model(source, device="cpu", weights_only=True, pretrained_text=False)
    tokenizer = None
    if folder.has_tokenizer:
        merges = folder.path / MERGES
        extra = {"bpe_path": str(merges)} if merges.is_file() else {}
        tokenizer = open_clip.get_tokenizer(source, **extra)
    parameters = sum(weights.numel() for weights in model.parameters())
    held = placement.precision_for(parameters)
    made = fingerprints.fingerprint(
        weights=fingerprints.file_digest(folder.weights)
        if folder.weights
        else f"random {fingerprints.state_digest(model)}",
        architecture=folder.model,
        preprocessing=model.visual.preprocess_cfg,
        tokenizer=_tokenizer_digest(tokenizer, folder),
        precision=held,
    )
    # Cast after loading: open_clip's own precision="fp16" fails on text towers whose projection has a bias.
    model.eval().requires_grad_(False).to(device=placement.device, dtype=precisions.dtype(held))
    if placement.is_cuda:
        model.to(memory_format=torch.channels_last)
    placement = placement.holding(held)
    forward = Forward(model, placement, held, Preprocessing.of(model.visual.preprocess_cfg))
    compiles = placement.is_cuda and compiling.pays(card.family, folder.model["vision_cfg"])
    sizing = Sizing(card, placement, forward, sizes)
    return OpenClipEmbedder(card, placement, made, forward, tokenizer, sizing, compiles=compiles)


def _tokenizer_digest(tokenizer: Any, folder: ModelFolder) -> str:
    from open_clip.tokenizer import SimpleTokenizer, default_bpe

    if tokenizer is None:
        return "none"
    files = tuple(file for file in folder.tokenizer if file.name != "config.json")  # mostly about other things
    if isinstance(tokenizer, SimpleTokenizer) and not files:
        files = (Path(default_bpe()),)
    return fingerprints.tokenizer_digest(
        files,
        kind=type(tokenizer).__name__,
        context_length=tokenizer.context_length,
        clean=tokenizer.clean_fn.__name__,
        settings=folder.model["text_cfg"].get("tokenizer_kwargs", {}),
    )


class OpenClipEmbedder:
    """A loaded open_clip model. Safe to use from several threads; forward passes of one device take turns."""

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
    ) -> None:
        self._card = card
        self._placement = placement
        self._fingerprint = fingerprint
        self._forward = forward
        self._tokenizer = tokenizer
        self._tokenizing = threading.Lock()
        self._sizing = sizing
        self._compiles = compiles
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

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts: float32, (n, dimension), every row of length 1. Too long texts are cut by the tokenizer.

        Raises:
            NoTextTower: the model has none, or random weights were loaded without their tokenizer.
            DeviceOutOfMemory, DeviceLost, ModelOutputInvalid: as for pictures.
        """
        if self._tokenizer is None or not self._card.has_text:
            raise NoTextTower(f"{self._card.title} cannot embed texts.", "Search by picture, or choose another model.")
        return self._run(self._texts, self._forward_texts, texts)

    def _run(self, batches: Batches[T], forward: Callable[[Sequence[T], Pass], Vectors], items: Sequence[T]) -> Vectors:
        if not len(items):
            return np.empty((0, self._card.dimension), dtype=np.float32)
        with self.use:
            try:
                return batches.run(forward, items)
            except (RuntimeError, ValueError) as error:
                raise ModelOutputInvalid(
                    f"{self._card.title} failed on {self.device}: {first_line(error)}",
                    'Try again; if it fails again on a graphics card, restart the console or use device = "cpu".',
                ) from error

    def _forward_images(self, pixels: Sequence[Pixels], turn: Pass) -> Vectors:
        rows = np.require(pixels, requirements=["C", "W"])
        return self._normalised(self._forward.images(rows, turn))

    def _forward_texts(self, texts: Sequence[str], turn: Pass) -> Vectors:
        assert self._tokenizer is not None
        with self._tokenizing:  # tokenizers of transformers refuse a second thread: "Already borrowed"
            tokens = self._tokenizer(list(texts))
        return self._normalised(self._forward.texts(tokens, turn))

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
