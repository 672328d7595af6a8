import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from console_core.embedding.batches import Batches, Pass
from console_core.embedding.device_errors import is_out_of_memory
from console_core.embedding.turns import Turn, background
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
    answer = batches.run(lambda batch, _: vectors_of(device, batch), rows)
    np.testing.assert_array_equal(answer[:, 0], np.arange(37) * 2)
    assert device.seen[:3] == [16, 8, 4]


def test_a_batch_that_once_did_not_fit_is_not_tried_again() -> None:
    device, batches = Tight(room=5), Batches[float](16, Turn())
    for _ in range(2):
        batches.run(lambda batch, _: vectors_of(device, batch), [1.0] * 16)
    assert device.seen == [16, 8, 4, 4, 4, 4, 4, 4, 4, 4]
    assert batches.limit == 4


def test_all_passes_of_a_run_have_one_shape_and_a_query_is_no_larger_than_it_is() -> None:
    seen: list[tuple[int, int, bool]] = []

    def forward(batch: Sequence[float], turn: Pass) -> Vectors:
        seen.append((len(batch), turn.rows, turn.full))
        return np.ones((len(batch), 1), dtype=np.float32)

    batches = Batches[float](8, Turn(), fixed=True)
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(in_a_run, batches, forward, [1.0] * 11).result()) == 11
    batches.run(forward, [1.0])
    assert seen == [(8, 8, True), (3, 8, True), (1, 1, False)]


def test_a_last_batch_that_does_not_fit_halves_the_shape_that_it_was_padded_to() -> None:
    seen: list[int] = []

    def forward(batch: Sequence[float], turn: Pass) -> Vectors:
        seen.append(turn.rows)
        if turn.rows > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return np.ones((len(batch), 1), dtype=np.float32)

    batches = Batches[float](8, Turn(), fixed=True)
    with ThreadPoolExecutor(1) as pool:
        assert len(pool.submit(in_a_run, batches, forward, [1.0] * 3).result()) == 3
    assert seen == [8, 4, 2, 2]
    assert (batches.limit, batches.halved) == (2, True)


def test_a_run_that_never_asks_for_a_full_batch_is_padded_to_what_it_asks_for_at_most() -> None:
    """Several models that share a pipeline get batches that suit the one with the smallest."""
    seen: list[int] = []

    def forward(batch: Sequence[float], turn: Pass) -> Vectors:
        seen.append(turn.rows)
        return np.ones((len(batch), 1), dtype=np.float32)

    batches = Batches[float](8, Turn(), fixed=True)
    with ThreadPoolExecutor(1) as pool:
        for number in (4, 1):
            pool.submit(in_a_run, batches, forward, [1.0] * number, 4).result()
        batches.limit = 2
        pool.submit(in_a_run, batches, forward, [1.0] * 3, 4).result()
    assert seen == [4, 4, 2, 2]


def in_a_run(
    batches: Batches[float],
    forward: Callable[[Sequence[float], Pass], Vectors],
    rows: list[float],
    most: int | None = None,
) -> Vectors:
    with background(most):
        return batches.run(forward, rows)


def test_two_passes_that_do_not_fit_at_once_halve_the_batch_once() -> None:
    both, mine = threading.Barrier(2), threading.local()

    def forward(batch: Sequence[float], _: Pass) -> Vectors:
        if not getattr(mine, "failed", False):
            mine.failed = True
            both.wait(20)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return np.asarray(batch, dtype=np.float32)[:, None]

    batches = Batches[float](8, Turn(2))
    rows = [float(number) for number in range(20)]
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(batches.run, forward, rows) for _ in range(2)]
    for answer in answers:
        np.testing.assert_array_equal(answer.result()[:, 0], rows)
    assert batches.limit == 4


def test_one_item_that_does_not_fit_ends_with_a_remedy_and_a_cause() -> None:
    device, batches = Tight(room=0), Batches[float](4, Turn())
    with pytest.raises(DeviceOutOfMemory) as caught:
        batches.run(lambda batch, _: vectors_of(device, batch), [1.0, 2.0, 3.0])
    assert device.seen == [3, 1]
    assert isinstance(caught.value.__cause__, torch.OutOfMemoryError)
    assert "cpu" in caught.value.remedy


def test_the_turn_is_free_again_after_a_failure() -> None:
    turn = Turn()
    with pytest.raises(DeviceOutOfMemory):
        Batches[float](4, turn).run(lambda batch, _: vectors_of(Tight(room=0), batch), [1.0])
    assert len(Batches[float](4, turn).run(lambda batch, _: vectors_of(Tight(room=4), batch), [1.0])) == 1


def test_the_memory_of_the_failed_pass_is_free_before_the_next_try() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def forward(batch: Sequence[float], _: Pass) -> Vectors:
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
    def forward(batch: Sequence[float], _: Pass) -> Vectors:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        Batches[float](4, Turn()).run(forward, [1.0])
