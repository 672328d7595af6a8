"""Models of open_clip: CLIP, SigLIP and their kin. torch and open_clip are imported when the first one is loaded."""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from console_core.embedding import fingerprint as fingerprints
from console_core.embedding.batches import Batches, is_out_of_memory
from console_core.embedding.device import Placement, place, turn
from console_core.embedding.folder import LOCAL, MERGES, ModelFolder, assembled
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Fingerprint, ModelCard, Pixels, Vectors
from console_core.errors import ConsoleError, DeviceOutOfMemory, ModelNotLoadable, ModelOutputInvalid, NoTextTower

T = TypeVar("T")


def load(card: ModelCard, device: str | Placement = "auto", *, random_weights: bool = False) -> "OpenClipEmbedder":
    """Load a model onto "auto", "cpu", "cuda" or "cuda:<n>". Reads safetensors, or pickles without running their code.

    `random_weights` is for tests and benchmarks: the vectors mean nothing, and the fingerprint says so.

    Raises:
        ModelUnknown: open_clip does not have this architecture or this pair.
        ModelNotLoadable: files are missing or wrong, or the device is not there.
        DeviceOutOfMemory: the weights do not fit.
    """
    placement = device if isinstance(device, Placement) else place(device)
    with assembled(card, random_weights=random_weights) as folder:
        try:
            return _load(card, placement, folder)
        except ConsoleError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise DeviceOutOfMemory(
                    f"The weights of {card.title} do not fit into the memory of {placement.device}.",
                    "Unload other models or use a smaller one.",
                ) from error
            raise ModelNotLoadable(
                f"{card.title} cannot be loaded from {folder.weights or folder.path}: {_first_line(error)}",
                "The file must be an intact open_clip checkpoint of this architecture (safetensors, or a state_dict "
                "saved by torch.save); copy it again, or correct open_clip_config.json.",
            ) from error


def _load(card: ModelCard, placement: Placement, folder: ModelFolder) -> "OpenClipEmbedder":
    import open_clip
    import torch

    source = f"{LOCAL}{folder.path}"
    model = open_clip.create_model(source, device="cpu", weights_only=True, pretrained_text=False)
    tokenizer = None
    if folder.has_tokenizer:
        merges = folder.path / MERGES
        extra = {"bpe_path": str(merges)} if merges.is_file() else {}
        tokenizer = open_clip.get_tokenizer(source, **extra)
    made = fingerprints.fingerprint(
        weights=fingerprints.file_digest(folder.weights)
        if folder.weights
        else f"random {fingerprints.state_digest(model)}",
        architecture=folder.model,
        preprocessing=model.visual.preprocess_cfg,
        tokenizer=_tokenizer_digest(tokenizer, folder),
        precision=placement.precision,
    )
    # Cast after loading: open_clip's own precision="fp16" fails on text towers whose projection has a bias.
    dtype = torch.float16 if placement.precision == "float16" else torch.float32
    model.eval().requires_grad_(False).to(device=placement.device, dtype=dtype)
    return OpenClipEmbedder(card, placement, made, model, tokenizer)


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
        model: Any,
        tokenizer: Callable[[list[str]], Any] | None,
    ) -> None:
        self._card = card
        self._placement = placement
        self._fingerprint = fingerprint
        self._model = model
        self._float32_model: Any = None if placement.precision == "float16" else model
        self._tokenizer = tokenizer
        self._preprocessing = Preprocessing.of(model.visual.preprocess_cfg)
        self._images: Batches[Pixels] = Batches(placement.batch, turn(placement.device))
        self._texts: Batches[str] = Batches(placement.batch, turn(placement.device))

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
        return self._preprocessing

    @property
    def batch(self) -> int:
        """Pictures in one forward pass; fewer after the device ran out of memory."""
        return self._images.limit

    @property
    def passes(self) -> int:
        return 1

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def slab(self, rows: int) -> NDArray[np.uint8]:
        return np.empty((rows, self._preprocessing.height, self._preprocessing.width, 3), dtype=np.uint8)

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        """Vectors of pictures: float32, (n, dimension), every row of length 1.

        Raises:
            DeviceOutOfMemory: not even one picture fits.
            ModelOutputInvalid: the model's answer is not finite, or has no length.
        """
        return self._run(self._images, self._forward_images, cast(Sequence[Pixels], pixels))

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts: float32, (n, dimension), every row of length 1. Too long texts are cut by the tokenizer.

        Raises:
            NoTextTower: the model has none, or random weights were loaded without their tokenizer.
            DeviceOutOfMemory, ModelOutputInvalid: as for pictures.
        """
        if self._tokenizer is None or not self._card.has_text:
            raise NoTextTower(f"{self._card.title} cannot embed texts.", "Search by picture, or choose another model.")
        return self._run(self._texts, self._forward_texts, texts)

    def _run(self, batches: Batches[T], forward: Callable[[Sequence[T]], Vectors], items: Sequence[T]) -> Vectors:
        if not len(items):
            return np.empty((0, self._card.dimension), dtype=np.float32)
        try:
            return batches.run(forward, items)
        except (RuntimeError, ValueError) as error:
            raise ModelOutputInvalid(
                f"{self._card.title} failed on {self.device}: {_first_line(error)}",
                'Try again; if it fails again on a graphics card, restart the console or use device = "cpu".',
            ) from error

    def _forward_images(self, pixels: Sequence[Pixels]) -> Vectors:
        import torch

        rows = torch.from_numpy(np.asarray(pixels))
        on_device = rows.to(self._placement.device).permute(0, 3, 1, 2)
        return self._vectors(lambda model, dtype: model.encode_image(self._normalised_pixels(on_device, dtype)))

    def _forward_texts(self, texts: Sequence[str]) -> Vectors:
        assert self._tokenizer is not None
        tokens = self._tokenizer(list(texts)).to(self._placement.device)
        return self._vectors(lambda model, dtype: model.encode_text(tokens))

    def _vectors(self, encode: Callable[[Any, Any], Any]) -> Vectors:
        """Encode and normalise. What float16 cannot hold is computed again in float32."""
        import torch

        with torch.inference_mode():
            if self._placement.precision == "float16":
                output = encode(self._model, torch.float16)
                if bool(torch.isfinite(output).all()):
                    return self._normalised(output.float().cpu().numpy())
                if self._float32_model is None:
                    self._float32_model = copy.deepcopy(self._model).float()
            return self._normalised(encode(self._float32_model, torch.float32).cpu().numpy())

    def _normalised_pixels(self, pixels: Any, dtype: Any) -> Any:
        """8-bit pixels on the device as the model wants them: two constants, (n, 3, height, width)."""
        import torch

        mean, deviation = (
            torch.tensor(constants, device=pixels.device).view(1, 3, 1, 1)
            for constants in (self._preprocessing.mean, self._preprocessing.deviation)
        )
        scaled = pixels.to(torch.float32).mul_(1 / (255 * deviation)).add_(-mean / deviation)
        return scaled.to(dtype)

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


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
