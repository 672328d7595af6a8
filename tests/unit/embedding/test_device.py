import threading
import time
from pathlib import Path

import pytest
import torch

from console_core.embedding import device
from console_core.embedding.device import Placement, Turn, limit_threads, place, turn, usable_cores
from console_core.errors import ModelNotLoadable

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


def test_a_cpu_computes_in_float32() -> None:
    assert place("cpu") == Placement("cpu", "float32", 16)
    assert place("cpu").label == "cpu, float32"


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
    assert place("auto").label == "cuda:0, float16"
    assert place("cuda:1").device == "cuda:1"
    with pytest.raises(ModelNotLoadable, match="2 CUDA devices"):
        place("cuda:2")


def test_torch_leaves_one_core_to_others_and_never_gets_more_threads_than_it_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device, "usable_cores", lambda: 3)
    torch.set_num_threads(64)
    limit_threads()
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    limit_threads()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(("quota", "cores"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_the_quota_of_a_container_counts(monkeypatch: pytest.MonkeyPatch, quota: str, cores: int | None) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: quota)
    with_quota = usable_cores()
    monkeypatch.undo()
    assert with_quota == (cores or len(__import__("os").sched_getaffinity(0)))


def test_turns_come_in_the_order_of_asking() -> None:
    mine, order, asked = Turn(), [], []

    def ask(number: int) -> None:
        asked.append(number)
        with mine:
            order.append(number)

    with mine:
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
        for number, thread in enumerate(threads):
            thread.start()
            while len(mine._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == asked == [0, 1, 2, 3, 4]


def test_a_query_waits_for_one_batch_of_a_run_and_not_for_the_run() -> None:
    mine, stop, batches = Turn(), threading.Event(), [0]

    def run() -> None:
        while not stop.is_set():
            with mine:
                batches[0] += 1
                time.sleep(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while not batches[0]:
            time.sleep(0.001)
        waited = []
        for _ in range(5):
            before = batches[0]
            with mine:
                waited.append(batches[0] - before)
    finally:
        stop.set()
        thread.join()
    assert max(waited) <= 1


def test_never_two_at_a_time() -> None:
    mine, inside, most = Turn(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with mine:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside[0], most[0]) == (0, 1)


def test_a_device_has_one_turn_in_the_process() -> None:
    assert turn("cpu") is turn("cpu")
    assert turn("cpu") is not turn("cuda:0")
