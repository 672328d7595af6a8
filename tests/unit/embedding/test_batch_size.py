from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from console_core.embedding.batch_size import BatchSizes, probe, start, work_of
from console_core.errors import DeviceOutOfMemory


class Device:
    """Seconds that a pass takes by its pictures; what is not named does not fit."""

    def __init__(self, seconds: Mapping[int, float]) -> None:
        self._seconds = seconds
        self.asked: list[int] = []

    def __call__(self, batch: int) -> float | None:
        self.asked.append(batch)
        return self._seconds.get(batch)


@pytest.mark.parametrize(
    ("gflop", "batch"), [(8.8, 256), (5.9, 256), (35.1, 128), (23.4, 128), (162, 64), (104, 64), (208, 32), (700, 32)]
)
def test_the_more_work_a_picture_is_the_fewer_at_once(gflop: float, batch: int) -> None:
    assert start(gflop) == batch


def test_work_is_counted_while_it_is_done() -> None:
    layer = torch.nn.Linear(1_000, 500, bias=False)
    with torch.inference_mode():
        assert work_of(lambda: layer(torch.zeros(4, 1_000))) == pytest.approx(2 * 4 * 1_000 * 500 / 1e9)


def test_the_fastest_of_three_batches_is_taken() -> None:
    device = Device({32: 1.0, 64: 1.5, 128: 2.5})
    assert probe(device, 64) == 128
    assert device.asked == [32, 64, 128]


def test_a_smaller_batch_is_taken_where_a_larger_one_is_hardly_faster() -> None:
    assert probe(Device({32: 1.0, 64: 1.96, 128: 3.9}), 64) == 32
    assert probe(Device({32: 1.0, 64: 1.9, 128: 3.7}), 64) == 64


def test_nothing_larger_is_tried_than_what_did_not_fit() -> None:
    device = Device({32: 1.0})
    assert probe(device, 64) == 32
    assert device.asked == [32, 64]


def test_where_none_fits_smaller_ones_are_tried_down_to_one() -> None:
    device = Device({4: 1.0})
    assert probe(device, 64) == 4
    assert device.asked == [32, 16, 8, 4]
    with pytest.raises(DeviceOutOfMemory) as caught:
        probe(Device({}), 8)
    assert "cpu" in caught.value.remedy


def test_a_batch_of_one_is_probed_too() -> None:
    assert probe(Device({1: 1.0, 2: 2.0}), 1) == 1


def test_a_probed_batch_is_known_to_the_next_process_and_a_forgotten_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "batch_sizes.json"
    sizes = BatchSizes(file)
    assert sizes.get("H100, clip") is None
    sizes.put("H100, clip", 256)
    sizes.put("H100, siglip", 128)
    assert BatchSizes(file).get("H100, clip") == 256
    sizes.forget("H100, clip")
    assert BatchSizes(file).get("H100, clip") is None
    assert BatchSizes(file).get("H100, siglip") == 128
    assert [found.name for found in file.parent.iterdir()] == ["batch_sizes.json"]


@pytest.mark.parametrize("text", [b"", b"{", b"[1, 2]", b'{"a": "64", "b": -1, "c": true, "d": 2.5}', b"\xff\x00"])
def test_a_damaged_file_is_no_memory_and_is_written_anew(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "batch_sizes.json"
    file.write_bytes(text)
    sizes = BatchSizes(file)
    assert [sizes.get(key) for key in "abcd"] == [None] * 4
    sizes.put("a", 8)
    assert BatchSizes(file).get("a") == 8


def test_without_a_file_or_with_a_disk_that_takes_nothing_it_is_known_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    for sizes in (BatchSizes(), BatchSizes(tmp_path / "cache" / "batch_sizes.json")):
        sizes.put("a", 8)
        assert sizes.get("a") == 8
