"""A pipeline whose pictures come from a server: many are on their way at once, wherever the pipeline runs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.opening import open_images
from console_core.catalog.types import ImageRow, ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.engine import threads
from console_core.engine.ordered import in_order
from console_core.engine.process import EngineProcess
from console_core.engine.remote import RemotePipeline
from console_core.engine.shape import Shape
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Embedded, Job, Pipeline
from console_core.errors import ImageMissing
from console_core.settings import ImageSettings
from tests.grid_model import Grid, GridModels, versions
from tests.picture_server import PictureServer, serving
from tests.unit.catalog.pictures import encoded, noise

AT_ONCE = 24
PICTURE = encoded(noise())


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serving() as server:
        server.pictures = {f"/p/{number}.png": PICTURE for number in range(4 * AT_ONCE)}
        yield server


@pytest.fixture
def at_once() -> int:
    return AT_ONCE


@pytest.fixture
def images(server: PictureServer, at_once: int) -> Iterator[ImageStore]:
    opened = open_images(ImageSettings((f"{server.url}/p/",), at_once=at_once, retries=0))
    yield opened
    opened.close()


def row(number: int) -> ImageRow:
    return ImageRow(str(number), (f"{number}.png",), {}, "r")


@pytest.mark.parametrize(
    ("where", "at_once"), [("threads", 1), ("threads", 2), ("threads", AT_ONCE), ("process", AT_ONCE)]
)
def test_as_many_pictures_are_asked_for_at_once_as_the_store_is_good_for(
    server: PictureServer, images: ImageStore, where: str, at_once: int
) -> None:
    """The server answers nobody before so many ask."""
    together = threading.Barrier(at_once)
    server.before = lambda _: together.wait(60)
    engine = EngineProcess(GridModels)
    pipeline: Pipeline
    if where == "process":
        pipeline = RemotePipeline(engine, images, versions("grid"), Mode.FAST)
    else:
        pipeline = ThreadPipeline(images, [Grid()])
    rows = ((row(number), None) for number in range(4 * AT_ONCE))
    with closing(pipeline):
        assert pipeline.shape.readers == at_once
        found = [outcome for _, outcome in in_order(pipeline, rows, lambda: pipeline.capacity)]
    engine.close()
    assert {type(one) for one in found} == {Embedded}
    assert server.most == at_once


def test_several_pipelines_of_one_process_keep_to_the_limit_together(server: PictureServer, images: ImageStore) -> None:
    engine = EngineProcess(GridModels)
    server.before = lambda _: server.released.wait(0.05)
    pipelines = [RemotePipeline(engine, images, versions("grid"), Mode.FAST) for _ in range(2)]
    for pipeline in pipelines:
        pipeline.submit([Job(number, row(number)) for number in range(4 * AT_ONCE)])
    for pipeline in pipelines:
        done = 0
        while done < 4 * AT_ONCE:
            done += len(pipeline.take())
        pipeline.close()
    engine.close()
    assert server.most <= AT_ONCE


def test_what_becomes_of_a_picture_in_the_process_is_told_with_its_own_error(
    server: PictureServer, images: ImageStore
) -> None:
    engine = EngineProcess(GridModels)
    with closing(RemotePipeline(engine, images, versions("grid"), Mode.FAST)) as pipeline:
        rows = [(ImageRow("x", ("gone.png",), {}, "r"), None)]
        ((_, outcome),) = in_order(pipeline, rows, lambda: 8)
    engine.close()
    assert isinstance(outcome, ImageMissing)
    assert "404" in outcome.message
    assert outcome.path == "gone.png"


def test_a_pipeline_is_closed_although_a_server_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, answer, waited = threading.Event(), threading.Event(), list[str]()

    class Stuck(LocalFiles):
        def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
            reading.set()
            if not answer.wait(20):
                waited.append(path)
            return super().read(path, make_room)

    monkeypatch.setattr(threads, "GRACE", 0.02)
    pipeline = ThreadPipeline(Stuck((tmp_path,)), [Grid()])
    pipeline.submit([Job(1, row(1))])
    assert reading.wait(60)
    pipeline.close()
    answer.set()
    assert waited == []
    for thread in [one for one in threading.enumerate() if one.name == "engine"]:
        thread.join(60)
        assert not thread.is_alive()


def test_what_is_stated_of_memory_grows_with_the_readers() -> None:
    few, many = Shape.of([Grid()]), Shape.of([Grid()], readers=AT_ONCE)
    assert many.bound - few.bound == (AT_ONCE - few.readers) * 1024 * 1024
    assert many.capacity > few.capacity
