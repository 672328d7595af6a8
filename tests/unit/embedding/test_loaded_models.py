import gc
import shutil
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console_core.embedding import loaded
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.cards import CARDS
from console_core.embedding.device import Placement
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.loading import load
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import ModelCard
from console_core.errors import ModelNotLoadable, ModelUnknown


class SlowDisk:
    """The real loader, on a disk that takes as long as the test wants for every model but one."""

    def __init__(self) -> None:
        self.loads = 0
        self.quick = ""
        self.started, self.go_on = threading.Event(), threading.Event()

    def __call__(self, card: ModelCard, placement: Placement, *, sizes: BatchSizes) -> TorchEmbedder:
        self.loads += 1
        if card.key != self.quick:
            self.started.set()
            assert self.go_on.wait(20)
        return load(card, placement, sizes=sizes)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    disk = SlowDisk()
    monkeypatch.setattr(loaded, "load", disk)
    return disk


@pytest.fixture
def models() -> LoadedModels:
    return LoadedModels(ModelCards(CARDS), "cpu")


def test_many_threads_that_ask_get_one_load_and_one_model(models: LoadedModels, tiny: Path, disk: SlowDisk) -> None:
    key = f"local-dir:{tiny}"
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(models.get, key) for _ in range(4)]
        assert disk.started.wait(20)
        assert (models.loading(), models.resident()) == ([key], [])
        disk.go_on.set()
        found = {id(one.result(20)) for one in asked}
    assert (len(found), disk.loads) == (1, 1)
    assert (models.loading(), models.resident()) == ([], [key])


def test_another_model_does_not_wait_for_one_that_is_loading(models: LoadedModels, tiny: Path, disk: SlowDisk) -> None:
    slow, quick = f"local-dir:{tiny}", f"local-dir:{tiny.with_name('quick')}"
    shutil.copytree(tiny, tiny.with_name("quick"))
    disk.quick = quick
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(models.get, slow)
        assert disk.started.wait(20)
        assert models.get(quick).card.key == quick
        assert (models.loading(), models.resident()) == ([slow], [quick])
        disk.go_on.set()
        waiting.result(20)


def test_a_failed_load_is_tried_again_by_the_next_call(models: LoadedModels, tiny: Path) -> None:
    weights = tiny / "open_clip_model.safetensors"
    weights.rename(tiny / "away")
    key = f"local-dir:{tiny}"
    with pytest.raises(ModelNotLoadable):
        models.get(key)
    assert (models.loading(), models.resident()) == ([], [])
    (tiny / "away").rename(weights)
    assert models.get(key).card.dimension == 24


def test_an_unloaded_model_leaves_the_memory(models: LoadedModels, tiny: Path) -> None:
    key = f"local-dir:{tiny}"
    gone = weakref.ref(models.get(key))
    gc.disable()
    try:
        assert models.unload(key) is True
        assert gone() is None
    finally:
        gc.enable()
    assert models.resident() == []
    assert models.unload(key) is False


def test_looking_tells_whether_a_model_could_be_loaded_and_loads_nothing(models: LoadedModels, tiny: Path) -> None:
    models.check(f"local-dir:{tiny}")
    with pytest.raises(ModelNotLoadable, match="not on this machine"):
        models.check("clip-vit-b-32-openai")
    (tiny / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelNotLoadable, match="no weights"):
        models.check(f"local-dir:{tiny}")
    assert models.resident() == []


def test_an_unknown_model_is_refused_by_name(models: LoadedModels) -> None:
    with pytest.raises(ModelUnknown, match="clip-vit"):
        models.get("clip-vit-b-32")
