"""When a model leaves the memory, and when it must not."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from console_core.embedding import loaded
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.cards import CARDS
from console_core.embedding.device import Placement
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.loading import load
from console_core.embedding.memory import Memory, _within_container, memory_of
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import ModelCard
from console_core.embedding.use import Use
from console_core.errors import DeviceOutOfMemory

GB = 1_000_000_000


class Machine:
    """A device with so many bytes left. Each model that leaves gives back a part."""

    def __init__(self, available: int = 100 * GB) -> None:
        self.available = available
        self.models: LoadedModels | None = None
        self.each = 0

    def __call__(self, device: str) -> Memory:
        resident = len(self.models.resident()) if self.models else 0
        return Memory(self.available - self.each * resident, 100 * GB)


class Clock:
    """Stands in for the clock of `Use`."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("console_core.embedding.use.monotonic", clock)
    return clock


@pytest.fixture
def three(tiny: Path) -> list[str]:
    """Keys of three models."""
    for name in ("second", "third"):
        shutil.copytree(tiny, tiny.with_name(name))
    return [f"local-dir:{tiny.with_name(name)}" for name in (tiny.name, "second", "third")]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def models(machine: Machine) -> LoadedModels:
    models = LoadedModels(ModelCards(CARDS), "cpu", unload_after=0, memory=machine)
    machine.models = models
    return models


def use_of(models: LoadedModels, key: str) -> Use:
    embedder = models.get(key)
    assert isinstance(embedder, TorchEmbedder)
    return embedder.use


def patient(machine: Machine, seconds: float) -> LoadedModels:
    machine.models = LoadedModels(ModelCards(CARDS), "cpu", unload_after=seconds, memory=machine)
    return machine.models


def test_a_model_that_nobody_used_for_long_leaves_and_one_that_was_used_stays(
    machine: Machine, three: list[str], clock: Clock
) -> None:
    models = patient(machine, 900)
    for key in three[:2]:
        models.get(key)
    clock.now += 899
    assert models.tidy() == []
    models.get(three[1]).embed_texts(["a red car"])
    clock.now += 1
    assert models.tidy() == [three[0]]
    assert models.resident() == [three[1]]
    models.close()


def test_without_a_time_no_model_leaves_by_itself(models: LoadedModels, three: list[str], clock: Clock) -> None:
    models.get(three[0])
    clock.now += 10**9
    assert models.tidy() == []


def test_a_model_that_is_held_or_used_does_not_leave_however_long_it_rests(
    machine: Machine, three: list[str], clock: Clock
) -> None:
    models = patient(machine, 900)
    held = models.get(three[0])
    machine.available = 0
    with use_of(models, three[1]):
        clock.now += 10_000
        assert models.tidy() == []
        assert models.get(three[0]) is held
        clock.now += 10_000
    assert models.tidy() == []  # the second was used until now
    clock.now += 10_000
    assert models.tidy() == [three[1]]
    del held
    assert models.tidy() == [three[0]]
    models.close()


def test_where_memory_is_short_the_longest_unused_leaves_first_until_there_is_enough(
    models: LoadedModels, machine: Machine, three: list[str], clock: Clock
) -> None:
    for key in three:
        models.get(key)
        clock.now += 100
    models.get(three[0])
    clock.now += 61
    machine.available, machine.each = 10 * GB, 3 * GB  # 1 GB is left, 4 GB are to be
    assert models.tidy() == [three[1]]
    assert models.resident() == [three[0], three[2]]


def test_what_was_used_a_moment_ago_stays_though_memory_is_short(
    models: LoadedModels, machine: Machine, three: list[str], clock: Clock
) -> None:
    models.get(three[0])
    machine.available = 0
    clock.now += 59
    assert models.tidy() == []
    clock.now += 1
    assert models.tidy() == [three[0]]


def test_before_a_model_is_loaded_room_is_made_for_it(
    models: LoadedModels, machine: Machine, three: list[str], clock: Clock
) -> None:
    for key in three[:2]:
        models.get(key)
        clock.now += 1
    size = (Path(three[2].removeprefix("local-dir:")) / "open_clip_model.safetensors").stat().st_size
    machine.each = 10 * GB
    machine.available = 14 * GB + size  # with one model left, the file fits beside the reserve once, not twice
    models.get(three[2])
    assert models.resident() == [three[2]]


def test_a_model_that_does_not_fit_is_tried_again_after_all_unused_ones_left(
    models: LoadedModels, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def tight(card: ModelCard, placement: Placement, *, sizes: BatchSizes) -> TorchEmbedder:
        if models.resident():
            raise DeviceOutOfMemory("The weights do not fit.", "Unload other models.")
        return load(card, placement, sizes=sizes)

    monkeypatch.setattr(loaded, "load", tight)
    first = models.get(three[0])
    with pytest.raises(DeviceOutOfMemory):
        models.get(three[1])
    assert models.get(three[0]) is first
    del first
    assert models.get(three[1]).card.key == three[1]
    assert models.resident() == [three[1]]


def test_a_model_is_released_only_where_nobody_holds_it(models: LoadedModels, three: list[str]) -> None:
    held = models.get(three[0])
    assert models.release(three[0]) is False
    assert models.get(three[0]) is held
    del held
    assert models.release(three[0]) is True
    assert models.release(three[0]) is False
    assert models.resident() == []


def test_threads_that_ask_while_models_are_released_never_make_a_second_copy(
    models: LoadedModels, three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alive, guard, most = [0], threading.Lock(), [0]

    class Counted(TorchEmbedder):
        def __init__(self, *given: object, **named: object) -> None:
            super().__init__(*given, **named)  # type: ignore[arg-type]
            with guard:
                alive[0] += 1
                most[0] = max(most[0], alive[0])

        def __del__(self) -> None:
            with guard:
                alive[0] -= 1

    monkeypatch.setattr("console_core.embedding.loading.TorchEmbedder", Counted)
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            models.get(three[0]).embed_texts(["a red car"])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    released = 0
    try:
        until = time.monotonic() + 20
        while released < 3 and time.monotonic() < until:
            released += models.release(three[0])
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert released == 3
    assert most[0] == 1


def test_it_is_told_of_each_model_in_memory_where_it_is_and_how_much_it_takes(
    models: LoadedModels, three: list[str], clock: Clock
) -> None:
    models.get(three[0])
    clock.now += 42
    (told,) = models.residents()
    weights = (Path(three[0].removeprefix("local-dir:")) / "open_clip_model.safetensors").stat().st_size
    assert (told.card.key, told.device, told.batch) == (three[0], "cpu, float32", 16)
    assert told.memory == pytest.approx(weights, rel=0.01)
    assert (told.idle, told.notes) == (42, ())
    with use_of(models, three[0]):
        assert models.residents()[0].idle is None


def test_unused_models_leave_without_anybody_asking(machine: Machine, three: list[str]) -> None:
    models = patient(machine, 0.2)
    models.get(three[0])
    wait_until(lambda: models.resident() == [])
    models.close()
    models.get(three[0])
    assert models.resident() == three[:1]


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_machine_says_how_much_memory_is_left() -> None:
    memory = memory_of("cpu")
    assert 0 < memory.available <= memory.total
    assert 0 < memory.reserve <= 4 * GB


@pytest.mark.parametrize(
    ("limit", "files", "expected"),
    [
        ("max", "", Memory(8 * GB, 16 * GB)),
        (str(4 * GB), f"anon 1\ninactive_file {GB}\n", Memory(2 * GB, 4 * GB)),
        (str(64 * GB), f"inactive_file {GB}\n", Memory(8 * GB, 16 * GB)),
        (str(2 * GB), "anon 1\n", Memory(0, 2 * GB)),
    ],
)
def test_the_limit_of_a_container_counts(tmp_path: Path, limit: str, files: str, expected: Memory) -> None:
    (tmp_path / "memory.max").write_text(limit + "\n")
    (tmp_path / "memory.current").write_text(f"{3 * GB}\n")
    (tmp_path / "memory.stat").write_text(files)
    assert _within_container(Memory(8 * GB, 16 * GB), tmp_path) == expected
    assert _within_container(Memory(8 * GB, 16 * GB), tmp_path / "none") == Memory(8 * GB, 16 * GB)
