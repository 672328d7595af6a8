"""One forward pass: 8-bit pixels or tokens go in, finite numbers in float32 come out.

What a precision cannot hold is computed again in the next one, by a copy of the model that is made when first needed.
"""

import copy
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.batches import Pass
from console_core.embedding.compiling import Compiled
from console_core.embedding.device import Placement
from console_core.embedding.device_errors import loss_told
from console_core.embedding.precision import ORDER, Precision, dtype
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.wiring import Otherwise, rewired

Numbers = NDArray[np.float32]


class Forward:
    """The passes of a model that lies on its device, in `precision`. Safe from several threads.

    On CUDA each place of the device's turn has its own stream, so that one place copies while another computes.
    """

    def __init__(self, model: Any, placement: Placement, precision: Precision, preprocessing: Preprocessing) -> None:
        import torch

        self.precision = precision
        self.preprocessing = preprocessing
        self._models: dict[Precision, Any] = {precision: model}
        self._placement = placement
        self._guard = threading.Lock()
        self._again: Counter[Precision] = Counter()
        self._compiled: Compiled | None = None
        mean, deviation = (
            torch.tensor(constants).view(1, 3, 1, 1) for constants in (preprocessing.mean, preprocessing.deviation)
        )
        self._factor = (1 / (255 * deviation)).to(placement.device)
        self._shift = (-mean / deviation).to(placement.device)
        if placement.is_cuda:  # the weights are there before another stream uses them
            torch.cuda.synchronize(placement.device)

    def images(self, pixels: NDArray[np.uint8], turn: Pass) -> Numbers:
        """The model's answers to pictures (n, height, width, 3), not normalised.

        Raises:
            DeviceLost: the device does not work any more.
        """
        import torch

        with loss_told(self._placement.label), torch.inference_mode(), self._stream(turn.place):
            there = torch.from_numpy(pixels).to(self._placement.device, non_blocking=True)
            if turn.rows > len(pixels):
                there = torch.nn.functional.pad(there, (0, 0, 0, 0, 0, 0, 0, turn.rows - len(pixels)))
            scaled = there.permute(0, 3, 1, 2).to(torch.float32).mul_(self._factor).add_(self._shift)

            def encode(model: Any, precision: Precision) -> Any:
                given = scaled.to(dtype(precision))
                compiled = self._compiled if turn.full and precision == self.precision else None
                return (compiled or _of_pictures(model))(given)[: len(pixels)]

            return self._finite(encode)

    def texts(self, tokens: Any, turn: Pass) -> Numbers:
        """The model's answers to tokens (n, context length), not normalised. Raises as `images`."""
        import torch

        with loss_told(self._placement.label), torch.inference_mode(), self._stream(turn.place):
            there = tokens.to(self._placement.device)
            return self._finite(lambda model, _: model.encode_text(there))

    def otherwise(self, way: Otherwise, *, texts: bool = False) -> "Forward | None":
        """Passes that are done in another way, with the same weights; None where it changes nothing for pictures, or
        for texts."""
        if not way.activation and texts:
            return None
        model = rewired(self.model, texts=texts) if way.activation else self.model
        if model is None:
            return None
        own = self.preprocessing
        scaled = replace(own, mean=way.mean or own.mean, deviation=way.deviation or own.deviation)
        return Forward(model, self._placement, self.precision, scaled)

    @property
    def prepares(self) -> Preprocessing:
        """What is done with pictures, with mean and deviation as the device computes with them."""
        deviation = 1 / (255 * self._factor)
        mean = -self._shift * deviation
        numbers = (tuple(float(value) for value in values.flatten()) for values in (mean, deviation))
        return replace(self.preprocessing, mean=next(numbers), deviation=next(numbers))

    @property
    def model(self) -> Any:
        """The module in the precision that is tried first."""
        return self._models[self.precision]

    def compile(self) -> None:
        """From now on full passes over pictures are compiled; the first of them takes about a minute longer."""
        import torch

        if self._compiled is None:
            self._compiled = Compiled(_of_pictures(self.model), torch.compile)

    @property
    def memory(self) -> int:
        """Bytes of weights on the device."""
        with self._guard:
            models = list(self._models.values())
        return sum(part.nbytes for model in models for part in (*model.parameters(), *model.buffers()))

    @property
    def notes(self) -> tuple[str, ...]:
        with self._guard:
            again = tuple(self._again.items())
        notes = [
            f"{self.precision} overflowed; {count} {'batch was' if count == 1 else 'batches were'} computed again in "
            f"{precision}."
            for precision, count in again
        ]
        if self._compiled is not None and self._compiled.failure:
            notes.append(f"It could not be compiled, and runs as it is: {self._compiled.failure}")
        return tuple(notes)

    def _finite(self, encode: Callable[[Any, Precision], Any]) -> Numbers:
        """The answer in the first precision that can hold it; in the last one as it is."""
        for precision in ORDER[self.precision]:
            answer: Numbers = encode(self._model_in(precision), precision).float().cpu().numpy()
            finite = bool(np.isfinite(answer).all())
            if finite:
                break
        if finite and precision != self.precision:
            with self._guard:
                self._again[precision] += 1
        return answer

    def _model_in(self, precision: Precision) -> Any:
        import torch

        with self._guard:
            if precision not in self._models:
                self._models[precision] = copy.deepcopy(self.model).to(dtype(precision))
                if self._placement.is_cuda:
                    torch.cuda.synchronize(self._placement.device)
            return self._models[precision]

    def _stream(self, place: int) -> AbstractContextManager[Any]:
        import torch

        if not self._placement.is_cuda:
            return nullcontext()
        return torch.cuda.stream(_stream_of(self._placement.device, place))


def _of_pictures(model: Any) -> Callable[[Any], Any]:
    """What embeds pictures: a model of open_clip has two towers, one of timm is the tower itself."""
    encode: Callable[[Any], Any] = getattr(model, "encode_image", model)
    return encode


_streams: dict[tuple[str, int], Any] = {}
_streams_guard = threading.Lock()


def _stream_of(device: str, place: int) -> Any:
    """The stream of a place: few of them, because the memory that one let go of is not another's."""
    import torch

    with _streams_guard:
        if (device, place) not in _streams:
            _streams[device, place] = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        return _streams[device, place]
