from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from console_core.embedding import device
from console_core.embedding.device import (
    Placement,
    limit_threads,
    may_be_cuda,
    place,
    release_memory,
    slab,
    turn,
    usable_cores,
)
from console_core.embedding.memory import memory_of
from console_core.embedding.turns import BESIDE
from console_core.errors import DeviceLost, ModelNotLoadable

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


def test_on_a_cpu_the_precision_is_the_models_affair_unless_one_is_asked_for() -> None:
    assert place("cpu") == Placement("cpu", "auto", 16)
    assert place("cpu").label == "cpu"
    asked = place("cpu", "bfloat16")
    assert asked.label == "cpu, bfloat16"
    assert asked.precision_for(1) == "bfloat16"
    assert place("cpu").precision_for(1_000) == "float32"


@without_cuda
def test_auto_is_the_cpu_where_there_is_nothing_else() -> None:
    assert place("auto").device == "cpu"


@without_cuda
@pytest.mark.parametrize("wanted", ["cuda", "cuda:1"])
def test_a_device_that_is_not_there_is_refused_with_a_remedy(wanted: str) -> None:
    with pytest.raises(ModelNotLoadable, match="no CUDA devices") as caught:
        place(wanted)
    assert "cpu" in caught.value.remedy


def test_cuda_computes_in_float16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert place("auto").device == "cuda:0"
    assert place("auto").precision_for(4_000_000) == "float16"
    assert place("auto", "float32").precision_for(4_000_000) == "float32"
    assert place("cuda:1").device == "cuda:1"
    with pytest.raises(ModelNotLoadable, match="2 CUDA devices"):
        place("cuda:2")


@pytest.mark.parametrize(
    ("wanted", "driver", "visible", "expected"),
    [
        ("auto", "libc.so.6", None, True),
        ("auto", "libc.so.6", "1", True),
        ("auto", "libc.so.6", "", False),
        ("auto", "libc.so.6", "-1", False),
        ("auto", "no-such-driver.so", None, False),
        ("cpu", "libc.so.6", None, False),
        ("cuda:1", "no-such-driver.so", None, True),
    ],
)
def test_cuda_is_possible_where_it_is_asked_for_or_its_driver_is_there_and_no_device_is_hidden(
    monkeypatch: pytest.MonkeyPatch, wanted: str, driver: str, visible: str | None, expected: bool
) -> None:
    monkeypatch.setattr(device, "CUDA_DRIVER", driver)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert may_be_cuda(wanted) is expected


def test_each_pass_computes_on_one_thread() -> None:
    torch.set_num_threads(64)
    limit_threads()
    assert torch.get_num_threads() == 1


def test_where_no_memory_can_be_locked_a_slab_is_plain_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **asked: object) -> None:
        assert asked["pin_memory"] is True
        raise RuntimeError("CUDA error: OS call failed or operation not supported on this OS")

    monkeypatch.setattr(torch, "empty", refuse)
    for kind in ("cpu", "cuda:0"):
        made = slab(Placement(kind, "float16", 8), 3, 20, 30)
        assert made.shape == (3, 20, 30, 3)
        assert made.dtype == np.uint8
        made[:] = 7


@pytest.mark.parametrize("ask", [release_memory, lambda: memory_of("cuda:0")])
def test_a_device_that_is_lost_is_told_by_what_asks_for_its_memory(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]
) -> None:
    def lost(*_: object) -> None:
        raise torch.AcceleratorError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lost)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lost)
    with pytest.raises(DeviceLost, match="stopped working: CUDA error: unspecified launch failure"):
        ask()


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_the_quota_of_a_container_counts(monkeypatch: pytest.MonkeyPatch, quota: str, cores: int | None) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: quota)
    with_quota = usable_cores()
    monkeypatch.undo()
    assert with_quota == (cores or len(__import__("os").sched_getaffinity(0)))


def test_on_a_cpu_as_many_passes_at_once_as_cores_and_on_cuda_two_that_queries_wait_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "_turns", {})
    monkeypatch.setattr(device, "usable_cores", lambda: 6)
    assert turn("cpu").passes == 6
    assert turn("cuda:0").passes == 2
    with turn("cuda:0").taken() as one, turn("cuda:0").taken() as other:
        assert {one, other} == {0, 1}
    with turn("cpu").taken() as place:
        assert place == BESIDE


def test_a_device_has_one_turn_in_the_process() -> None:
    assert turn("cpu") is turn("cpu")
    assert turn("cpu") is not turn("cuda:0")
