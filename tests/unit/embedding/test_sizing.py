"""How the batch of a model on CUDA is found; a stand-in answers for the device."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from console_core.embedding import sizing
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.batches import Batches, Pass
from console_core.embedding.device import Placement
from console_core.embedding.forward import Forward
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.sizing import Sizing
from console_core.embedding.turns import Turn
from console_core.embedding.types import ModelCard
from console_core.errors import DeviceLost

CARD = ModelCard("clip", "CLIP", "CLIP", "ViT-B-32", "", 512, 224)
CUDA, CPU = Placement("cuda:0", "float16", 64), Placement("cpu", "float32", 16)


class Device:
    """Forward passes on a device with room for so many pictures. A pass takes a time of its own and one for each."""

    precision = "float16"
    preprocessing = Preprocessing(4, 4, "squash", "bicubic", 0, (0.5,) * 3, (0.5,) * 3)

    def __init__(self, room: int) -> None:
        self.room, self.overhead = room, 1.0
        self.seen: list[int] = []
        self.now = 0.0

    def images(self, pixels: NDArray[np.uint8], turn: Pass) -> None:
        self.seen.append(len(pixels))
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.now += self.overhead + len(pixels)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Device:
    device = Device(room=10**6)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "NVIDIA Stand-in")
    monkeypatch.setattr(sizing, "perf_counter", lambda: device.now)
    monkeypatch.setattr(sizing, "slab", lambda _, rows, *shape: np.zeros((rows, *shape, 3), dtype=np.uint8))
    return device


def found(device: Device, sizes: BatchSizes, card: ModelCard = CARD, placement: Placement = CUDA) -> Sizing:
    return Sizing(card, placement, cast(Forward, device), sizes)


def test_on_a_cpu_the_batch_is_the_placements_and_nothing_is_tried(device: Device) -> None:
    mine, batches = found(device, BatchSizes(), placement=CPU), Batches[Any](16, Turn())
    assert mine.first() == 16
    mine.expect(10**6, batches, Turn())
    assert (batches.limit, device.seen) == (16, [])


def test_the_first_batch_is_a_guess_by_the_work_of_one_picture(device: Device) -> None:
    assert found(device, BatchSizes()).first() == 256
    assert device.seen == [1]


def test_where_work_cannot_be_counted_the_batch_is_the_placements(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> float:
        raise NotImplementedError("no formula for this operator")

    monkeypatch.setattr("console_core.embedding.batch_size.work_of", fail)
    assert found(device, BatchSizes()).first() == 64


def test_not_even_room_for_one_picture_is_not_hidden_by_that(device: Device) -> None:
    device.room = 0
    with pytest.raises(torch.OutOfMemoryError):
        found(device, BatchSizes()).first()


def test_many_pictures_are_worth_a_probe_and_few_are_not(device: Device) -> None:
    mine, batches, turn = found(device, BatchSizes()), Batches[Any](32, Turn()), Turn()
    mine.expect(1_999, batches, turn)
    assert (batches.limit, device.seen) == (32, [])
    mine.expect(2_000, batches, turn)
    assert sorted(set(device.seen)) == [16, 32, 64]
    assert batches.limit == 32  # 64 is less than 3 % faster


def test_what_was_probed_is_known_to_the_next_process_for_this_model_and_no_other(
    device: Device, tmp_path: Path
) -> None:
    file, batches = tmp_path / "batch_sizes.json", Batches[Any](32, Turn())
    found(device, BatchSizes(file)).expect(10_000, batches, Turn())
    device.seen.clear()
    again = found(device, BatchSizes(file))
    assert again.first() == 32
    again.expect(10_000, batches, Turn())
    assert device.seen == []
    other = ModelCard("clip", "CLIP", "CLIP", "ViT-B-32", "", 512, 384)
    assert found(device, BatchSizes(file), other).first() == 256


def test_a_batch_that_does_not_fit_is_passed_over_and_the_turn_is_free_afterwards(device: Device) -> None:
    device.room = 20
    batches, turn = Batches[Any](32, Turn()), Turn()
    found(device, BatchSizes()).expect(10_000, batches, turn)
    assert batches.limit == 16
    with turn.taken() as place:
        assert place == 0


def test_after_out_of_memory_nothing_is_probed_until_the_next_start(device: Device, tmp_path: Path) -> None:
    sizes, batches = BatchSizes(tmp_path / "batch_sizes.json"), Batches[Any](32, Turn())
    mine = found(device, sizes)
    mine.expect(10_000, batches, Turn())
    batches.limit, batches.halved = 8, True
    mine.did_not_fit()
    device.seen.clear()
    mine.expect(10_000, batches, Turn())
    assert (batches.limit, device.seen) == (8, [])
    assert found(device, BatchSizes(tmp_path / "batch_sizes.json")).first() == 256


class Lost(torch.nn.Module):
    """A model on a device that does not work any more."""

    def encode_image(self, given: torch.Tensor) -> torch.Tensor:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nCompile with ...")


def test_a_device_that_is_lost_is_told_by_the_first_pass_and_by_a_probe(device: Device) -> None:
    forward = Forward(Lost(), CPU, "float32", Device.preprocessing)
    mine, batches, turn = Sizing(CARD, CUDA, forward, BatchSizes()), Batches[Any](32, Turn()), Turn()
    for ask in (mine.first, lambda: mine.expect(10_000, batches, turn)):
        with pytest.raises(
            DeviceLost, match=r"stopped working: CUDA error: an illegal memory access was encountered Resume"
        ):
            ask()
    with turn.taken() as place:
        assert place == 0


def test_until_it_is_probed_the_batch_may_double(device: Device) -> None:
    mine, batches = found(device, BatchSizes()), Batches[Any](32, Turn())
    stated = mine.largest(batches)
    assert (stated, device.seen) == (64, [])
    device.room, device.overhead = 64, 1_000.0  # the larger the better
    mine.expect(10_000, batches, Turn())
    assert batches.limit == mine.largest(batches) == stated


def test_the_batch_stays_on_a_cpu_and_after_out_of_memory(device: Device) -> None:
    batches = Batches[Any](16, Turn())
    assert found(device, BatchSizes(), placement=CPU).largest(batches) == 16
    batches.limit, batches.halved = 8, True
    assert found(device, BatchSizes()).largest(batches) == 8
