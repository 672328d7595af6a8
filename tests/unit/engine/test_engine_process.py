"""What becomes of those who wait for an engine process, and that it is the same models that answer them."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
from console_core.embedding.wiring import Inspectable, Otherwise
from console_core.engine.models import EngineModels
from console_core.engine.ordered import in_order
from console_core.engine.process import EngineProcess
from console_core.engine.remote import RemotePipeline
from console_core.engine.types import Embedded, Outcome
from console_core.errors import EngineStopped, FingerprintMismatch, ModelError
from tests.grid_model import SIDE, Changing, Grid, GridModels, Open, Riddles, versions

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


def outcomes(engine: EngineProcess, folder: Path, key: str = "grid") -> Iterator[Outcome]:
    rows = ((ImageRow(str(number), ("teal.png",), {}, "r"), None) for number in range(ROWS))
    with closing(RemotePipeline(engine, LocalFiles((folder,)), versions(key), Mode.FAST)) as pipeline:
        for _, outcome in in_order(pipeline, rows, lambda: 32):
            yield outcome


def listened_to(engine: EngineProcess) -> None:
    """Wait until an answer was read, and the next one is being waited for."""
    engine.call("loading")
    time.sleep(0.3)


def test_a_closed_engine_ends_by_itself() -> None:
    with running() as engine:
        listened_to(engine)
        life = engine._life
        assert life is not None
        engine.close()
        assert life.process.returncode == 0


@pytest.mark.alone
def test_closing_an_engine_takes_no_time() -> None:
    with running() as engine:
        listened_to(engine)
        began = time.monotonic()
        engine.close()
        assert time.monotonic() - began < 2


def test_who_waits_for_an_answer_of_an_engine_that_is_closed_hears_of_it(folder: Path) -> None:
    with running() as engine:
        pipeline = RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(pipeline.take)
            engine.close()
            with pytest.raises(EngineStopped, match="closed"):
                waiting.result()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("key", "told"), [("unkept", "Unkept: one and the other"), ("unsent", "Unsent: a lock and")])
def test_an_error_that_cannot_be_sent_is_told_by_one_that_can(folder: Path, key: str, told: str) -> None:
    with running() as engine:
        with pytest.raises(ModelError, match=told) as asked:
            engine.call("embed_images", *versions(key), PIXELS)
        assert asked.value.remedy
        with pytest.raises(ModelError, match=told):
            next(outcomes(engine, folder, key))
        assert len(engine.call("embed_images", *versions("grid"), PIXELS)) == len(PIXELS)


@pytest.mark.timeout(120)
def test_an_answer_that_cannot_be_sent_is_an_error_of_who_asked_and_of_nobody_else() -> None:
    with running(Riddles) as engine:
        with pytest.raises(TypeError, match="lock"):
            engine.call("loading")
        pid = engine.pid
        assert len(engine.call("embed_images", *versions("grid"), PIXELS)) == len(PIXELS)
        assert engine.pid == pid


@pytest.mark.timeout(120)
def test_an_answer_that_nobody_can_read_ends_the_engine_and_another_is_started() -> None:
    with running(Riddles) as engine:
        engine.call("facts", "grid")
        before = engine._life
        assert before is not None
        with pytest.raises(EngineStopped, match="its answer cannot be read"):
            engine.call("residents")
        assert before.process.returncode == 0
        assert len(engine.call("embed_images", *versions("grid"), PIXELS)) == len(PIXELS)
        assert engine._life is not before


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


def test_a_model_in_the_process_can_be_looked_into_like_one_of_this_process() -> None:
    way = Otherwise(activation=True)
    with running(GridModels) as engine:
        models = EngineModels(ModelCards([Grid.card, Open.card]), engine, 0.0)
        plain, inspected = models.get("grid"), models.get("open")
        assert isinstance(plain, Inspectable)
        assert isinstance(inspected, Inspectable)
        assert (plain.wiring(), plain.embed_otherwise(PIXELS, way)) == ((), None)
        assert inspected.wiring() == Open.facts
        negative = inspected.embed_otherwise(PIXELS, way)
        assert negative is not None
        assert np.array_equal(negative, -inspected.embed_images(PIXELS))
        assert inspected.embed_otherwise(PIXELS, Otherwise()) is None
        texts = inspected.embed_texts_otherwise(["a", "b"], way)
        assert texts is not None
        assert texts.shape == (2, 48)


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
