import weakref
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from console_core.embedding.batches import Batches, is_out_of_memory
from console_core.embedding.device import Turn
from console_core.embedding.types import Vectors
from console_core.errors import DeviceOutOfMemory


class Tight(torch.nn.Module):
    """A layer on a device that has room for so many rows."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room
        self.seen: list[int] = []

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(rows))
        if len(rows) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return rows * 2


def vectors_of(module: Tight, rows: Sequence[float]) -> Vectors:
    answer: Vectors = module(torch.tensor(rows, dtype=torch.float32)[:, None]).numpy()
    return answer


def test_out_of_memory_halves_the_batch_and_loses_nothing() -> None:
    device, batches = Tight(room=5), Batches[float](16, Turn())
    rows = [float(number) for number in range(37)]
    answer = batches.run(lambda batch: vectors_of(device, batch), rows)
    np.testing.assert_array_equal(answer[:, 0], np.arange(37) * 2)
    assert device.seen[:3] == [16, 8, 4]


def test_a_batch_that_once_did_not_fit_is_not_tried_again() -> None:
    device, batches = Tight(room=5), Batches[float](16, Turn())
    for _ in range(2):
        batches.run(lambda batch: vectors_of(device, batch), [1.0] * 16)
    assert device.seen == [16, 8, 4, 4, 4, 4, 4, 4, 4, 4]
    assert batches.limit == 4


def test_one_item_that_does_not_fit_ends_with_a_remedy_and_a_cause() -> None:
    device, batches = Tight(room=0), Batches[float](4, Turn())
    with pytest.raises(DeviceOutOfMemory) as caught:
        batches.run(lambda batch: vectors_of(device, batch), [1.0, 2.0, 3.0])
    assert device.seen == [3, 1]
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert "cpu" in caught.value.remedy


def test_the_turn_is_free_again_after_a_failure() -> None:
    turn = Turn()
    with pytest.raises(DeviceOutOfMemory):
        Batches[float](4, turn).run(lambda batch: vectors_of(Tight(room=0), batch), [1.0])
    assert len(Batches[float](4, turn).run(lambda batch: vectors_of(Tight(room=4), batch), [1.0])) == 1


def test_the_memory_of_the_failed_pass_is_free_before_the_next_try() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def forward(batch: Sequence[float]) -> Vectors:
        assert all(one() is None for one in held), "a tensor of the failed pass is still alive"
        tensor = torch.zeros(len(batch), 1)
        held.append(weakref.ref(tensor))
        if len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        answer: Vectors = tensor.numpy().copy()
        return answer

    assert len(Batches[float](8, Turn()).run(forward, [0.0] * 8)) == 8


def test_the_cpu_running_out_of_memory_is_recognised_too() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_other_errors_are_not_swallowed() -> None:
    def forward(batch: Sequence[float]) -> Vectors:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        Batches[float](4, Turn()).run(forward, [1.0])
