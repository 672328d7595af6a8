"""It is the same models that answer, whichever process they are in."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import ModelCards
from console_core.engine.models import EngineModels
from console_core.engine.ordered import in_order
from console_core.engine.process import EngineProcess
from console_core.engine.remote import RemotePipeline
from console_core.engine.types import Embedded, Outcome
from console_core.errors import FingerprintMismatch
from tests.grid_model import SIDE, Changing, Grid, GridModels, versions

PIXELS = np.full((2, SIDE, SIDE, 3), 9, dtype=np.uint8)
ROWS = 300


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    Image.new("RGB", (30, 30), "teal").save(tmp_path / "teal.png")
    return tmp_path


@contextmanager
def running(load: object = GridModels) -> Iterator[EngineProcess]:
    engine = EngineProcess(load)  # type: ignore[arg-type]
    try:
        yield engine
    finally:
        engine.close()


def outcomes(engine: EngineProcess, folder: Path) -> Iterator[Outcome]:
    rows = ((ImageRow(str(number), ("teal.png",), {}, "r"), None) for number in range(ROWS))
    with closing(RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST)) as pipeline:
        for _, outcome in in_order(pipeline, rows, lambda: 32):
            yield outcome


def test_where_another_process_finds_other_weights_under_the_same_key_nothing_more_is_embedded(folder: Path) -> None:
    told = folder / "fingerprint"
    told.write_text(Grid.fingerprint.digest)
    with running(partial(Changing, told)) as engine:
        found: list[Outcome] = []

        def embed() -> None:
            for outcome in outcomes(engine, folder):
                found.append(outcome)
                if len(found) == 3:
                    told.write_text("another one")
                    assert engine.pid is not None
                    os.kill(engine.pid, signal.SIGKILL)

        with pytest.raises(FingerprintMismatch, match="another one") as refused:
            embed()
        assert Grid.fingerprint.digest in refused.value.message
        assert "old weights" in refused.value.remedy
        assert 3 <= len(found) < ROWS
        assert all(isinstance(one, Embedded) for one in found)


def test_a_model_that_was_loaded_anew_with_other_weights_answers_only_who_asks_for_it_anew(tmp_path: Path) -> None:
    told = tmp_path / "fingerprint"
    told.write_text("the first")
    with running(partial(Changing, told)) as engine:
        models = EngineModels(ModelCards([Grid.card]), engine, 0.0)
        old = models.get("grid")
        assert len(old.embed_images(PIXELS)) == len(PIXELS)
        told.write_text("the second")
        with pytest.raises(FingerprintMismatch, match="the second"):
            old.embed_images(PIXELS)
        new = models.get("grid")
        assert new.fingerprint.digest == "the second"
        assert len(new.embed_images(PIXELS)) == len(PIXELS)
