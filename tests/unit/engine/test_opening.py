"""Where the models of a workspace are."""

import subprocess
import sys
from pathlib import Path

import pytest

from console_core import settings
from console_core.embedding import device
from console_core.embedding.cards import CARDS
from console_core.embedding.loaded import LoadedModels, Models
from console_core.embedding.registry import ModelCards
from console_core.engine import opening
from console_core.engine.models import EngineModels
from console_core.engine.opening import MANY_CORES, open_models

DRIVER = "libc.so.6"
"""Stands in for the driver of CUDA: a library that is there."""


@pytest.mark.parametrize(
    ("engine", "wanted", "driver", "cores", "expected"),
    [
        ("auto", "auto", "no-such-driver.so", 2, LoadedModels),
        ("auto", "auto", "no-such-driver.so", MANY_CORES, EngineModels),
        ("auto", "auto", DRIVER, 2, EngineModels),
        ("auto", "cuda:1", "no-such-driver.so", 2, EngineModels),
        ("auto", "cpu", DRIVER, 2, LoadedModels),
        ("threads", "cuda", DRIVER, MANY_CORES, LoadedModels),
        ("process", "cpu", "no-such-driver.so", 2, EngineModels),
    ],
)
def test_models_have_a_process_of_their_own_on_cuda_and_on_many_cores_unless_told_otherwise(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    wanted: str,
    driver: str,
    cores: int,
    expected: type[Models],
) -> None:
    monkeypatch.setattr(opening, "usable_cores", lambda: cores)
    monkeypatch.setattr(device, "CUDA_DRIVER", driver)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    (tmp_path / settings.FILE).touch()
    asked = settings.read(tmp_path, {"CONSOLE_ENGINE": engine, "CONSOLE_DEVICE": wanted})
    models = open_models(asked, ModelCards(CARDS))
    assert type(models) is expected
    assert type(open_models(asked, ModelCards(CARDS), dry=True)) is LoadedModels


def test_finding_out_where_models_shall_be_imports_no_torch() -> None:
    ask = (
        "import sys; from console_core.embedding.device import may_be_cuda; may_be_cuda('auto'); "
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", ask], check=False).returncode == 0
