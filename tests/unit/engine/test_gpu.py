"""What is told of a graphics card, with a stand-in for NVIDIA's library: most machines have none."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from console_core.engine.gpu import Card, Cards


class _Library(ModuleType):
    """A machine with three cards; the last is a part of one, and does not tell how busy it is."""

    class NVMLError(Exception):
        pass

    def __init__(self, *, starts: bool = True) -> None:
        super().__init__("pynvml")
        self.starts, self.begun = starts, 0

    def nvmlInit(self) -> None:
        self.begun += 1
        if not self.starts:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        if number > 2:
            raise self.NVMLError("Invalid Argument")
        return number

    def nvmlDeviceGetHandleByUUID(self, name: str) -> int:
        return {"GPU-b": 1, "MIG-c": 2}[name]

    def nvmlDeviceGetName(self, handle: int) -> str | bytes:
        return b"Old Card" if handle == 0 else f"Card {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(used=(handle + 1) * 10**9, total=80 * 10**9)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        if handle == 2:
            raise self.NVMLError("Not Supported")
        return SimpleNamespace(gpu=90 + handle, memory=3)


def _installed(monkeypatch: pytest.MonkeyPatch, library: _Library) -> _Library:
    monkeypatch.setitem(sys.modules, "pynvml", library)
    return library


def test_a_card_tells_how_busy_it_is_and_what_is_in_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, _Library())
    cards = Cards({})
    assert cards.look("cuda:0, float16") == Card("Old Card", 0.9, 10**9, 80 * 10**9)
    assert cards.look("cuda:1, float16") == Card("Card 1", 0.91, 2 * 10**9, 80 * 10**9)


def test_a_part_of_a_card_tells_its_memory_only(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, _Library())
    assert Cards({}).look("cuda:2, float16") == Card("Card 2", None, 3 * 10**9, 80 * 10**9)


@pytest.mark.parametrize(("visible", "name"), [("2,1", "Card 2"), ("GPU-b", "Card 1"), ("MIG-c", "Card 2")])
def test_the_card_is_the_one_that_torch_was_let_see(monkeypatch: pytest.MonkeyPatch, visible: str, name: str) -> None:
    _installed(monkeypatch, _Library())
    card = Cards({"CUDA_VISIBLE_DEVICES": visible}).look("cuda:0, float16")
    assert card is not None
    assert card.name == name


def test_a_card_that_is_not_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, _Library())
    assert Cards({}).look("cuda:7, float16") is None
    assert Cards({"CUDA_VISIBLE_DEVICES": "0"}).look("cuda:1, float16") is None


def test_a_processor_is_asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    library = _installed(monkeypatch, _Library())
    assert Cards({}).look("cpu, float32") is None
    assert library.begun == 0


def test_a_machine_without_a_driver_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    library = _installed(monkeypatch, _Library(starts=False))
    cards = Cards({})
    assert [cards.look("cuda:0, float16") for _ in range(3)] == [None, None, None]
    assert library.begun == 1
