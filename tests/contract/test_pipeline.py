"""What every pipeline promises, on threads of this process and in a process of its own."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from console_core.catalog.loading import content_digest
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.embedding.preprocessing import Mode
from console_core.engine.ordered import in_order
from console_core.engine.process import EngineProcess
from console_core.engine.remote import RemotePipeline
from console_core.engine.shape import Shape
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Embedded, Outcome, Pipeline
from console_core.errors import (
    CatalogUnavailable,
    DeviceOutOfMemory,
    EngineStopped,
    ImageEmpty,
    ImageError,
    ImageMissing,
    ImageUnreadable,
    ImageUnsupported,
    ModelOutputInvalid,
)
from tests.grid_model import Grid, GridModels, versions

Open = Callable[..., Pipeline]
FILES = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of different sizes: plain JPEGs, and every fourth a PNG."""
    folder = tmp_path_factory.mktemp("pictures")
    dice = np.random.default_rng(4)
    for number in range(FILES):
        pixels = Image.fromarray(dice.integers(0, 255, (4, 4, 3), dtype=np.uint8))
        kind = "png" if number % 4 == 0 else "jpg"
        pixels.resize((30 + 90 * (number % 5), 40), Image.Resampling.BICUBIC).save(folder / f"{number}.{kind}")
    return folder


@pytest.fixture(scope="module")
def engine() -> Iterator[EngineProcess]:
    engine = EngineProcess(GridModels)
    yield engine
    engine.close()


@pytest.fixture(params=["threads", "process"])
def open_pipeline(request: pytest.FixtureRequest, folder: Path, engine: EngineProcess) -> Open:
    """Opens a pipeline over the folder for models by their keys."""
    images = LocalFiles((folder,))

    def opened(*models: str, mode: Mode = Mode.FAST) -> Pipeline:
        keys = models or ("grid",)
        if request.param == "process":
            return RemotePipeline(engine, images, versions(*keys), mode)
        return ThreadPipeline(images, [GridModels().get(key) for key in keys], mode)

    return opened


def file(number: int) -> str:
    number %= FILES
    return f"{number}.png" if number % 4 == 0 else f"{number}.jpg"


def row(number: int, *candidates: str) -> ImageRow:
    return ImageRow(str(number), candidates or (file(number),), {}, "r")


def outcomes(pipeline: Pipeline, rows: list[ImageRow]) -> list[Outcome]:
    with closing(pipeline):
        found = list(in_order(pipeline, ((one, None) for one in rows), lambda: pipeline.capacity))
    assert [one.key for one, _ in found] == [one.key for one in rows]
    return [outcome for _, outcome in found]


def vector(outcome: Outcome, model: int = 0) -> Any:
    assert isinstance(outcome, Embedded), outcome
    return outcome.answers[model]


def test_every_row_gets_the_vector_of_its_own_picture_in_the_order_of_the_rows(
    open_pipeline: Open, folder: Path
) -> None:
    model = Grid()
    expected = {
        file(number): model.embed_images([model.preprocessing.exact(Image.open(folder / file(number)))])[0]
        for number in range(FILES)
    }
    found = outcomes(open_pipeline(mode=Mode.EXACT), [row(number) for number in range(300)])
    for number, outcome in enumerate(found):
        np.testing.assert_allclose(vector(outcome), expected[file(number)], atol=1e-6)
        assert isinstance(outcome, Embedded)
        assert outcome.content == content_digest((folder / file(number)).read_bytes())


def test_a_bad_picture_is_an_answer_of_its_class_and_costs_no_neighbour(open_pipeline: Open, folder: Path) -> None:
    (folder / "empty.jpg").touch()
    (folder / "cut.jpg").write_bytes((folder / "1.jpg").read_bytes()[:300])
    (folder / "page.jpg").write_text("<html>not found</html>")
    bad = ["nowhere.jpg", "empty.jpg", "cut.jpg", "page.jpg"]
    rows = [row(number, bad[number % 5 - 1]) if number % 5 else row(number) for number in range(40)]
    classes = [type(outcome) for outcome in outcomes(open_pipeline(), rows)]
    assert classes == [Embedded, ImageMissing, ImageEmpty, ImageUnreadable, ImageUnsupported] * 8


def test_a_failure_knows_when_its_bytes_began_to_be_read(open_pipeline: Open) -> None:
    (failure,) = outcomes(open_pipeline(), [row(1, "nowhere.jpg")])
    assert isinstance(failure, ImageError)
    assert failure.read_at is not None


def test_the_first_candidate_that_is_a_picture_is_taken(open_pipeline: Open, folder: Path) -> None:
    (folder / "page.jpg").write_text("<html>not found</html>")
    rows = [row(1, "nowhere.jpg", "page.jpg", file(5)), row(2, file(5)), row(3, "page.jpg", "nowhere.jpg"), row(4)]
    found = outcomes(open_pipeline(), rows)
    np.testing.assert_array_equal(vector(found[0]), vector(found[1]))
    assert isinstance(found[2], ImageUnsupported)
    assert "Also tried: nowhere.jpg (missing)." in found[2].message


def test_several_models_answer_from_one_decoding(open_pipeline: Open) -> None:
    pipeline = open_pipeline("grid", "negative")
    found = outcomes(pipeline, [row(number) for number in range(50)])
    for outcome in found:
        assert np.dot(vector(outcome, 0), vector(outcome, 1)) == pytest.approx(-1, abs=1e-5)
    assert sum(pipeline.readings().decoders.values()) == 50


def test_a_store_that_takes_its_time_is_read_by_all_readers_at_once(folder: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0

    class Slow(LocalFiles):
        def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.02)
            with lock:
                now -= 1
            return super().read(path, make_room)

    found = outcomes(ThreadPipeline(Slow((folder,)), [Grid()]), [row(number) for number in range(40)])
    assert {type(outcome) for outcome in found} == {Embedded}
    assert most == Shape.of([Grid()]).readers


def test_candidates_that_are_no_pictures_hold_up_nobody_where_memory_is_scarce(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two files fill what is kept for reading ahead, so that readers wait for decoders, and decoders want more read."""
    (folder / "raw.jpg").write_bytes(bytes(5_000))
    monkeypatch.setattr("console_core.engine.threads.READ_AHEAD", 10_000)
    rows = [row(number, "raw.jpg", "raw.jpg", file(number)) for number in range(60)]
    pipeline = ThreadPipeline(LocalFiles((folder,)), [Grid()])
    assert {type(outcome) for outcome in outcomes(pipeline, rows)} == {Embedded}


def test_who_decoded_is_counted(open_pipeline: Open) -> None:
    for mode, expected in (
        (Mode.FAST, {"libjpeg-turbo": 9, "Pillow": 3}),
        (Mode.EXACT, {"Pillow": 12}),
        (Mode.TURBO, {"libjpeg-turbo": 9, "Pillow": 3}),
    ):
        pipeline = open_pipeline(mode=mode)
        outcomes(pipeline, [row(number) for number in range(12)])
        assert pipeline.readings().decoders == expected


def test_a_picture_that_the_model_chokes_on_costs_only_itself(open_pipeline: Open, folder: Path) -> None:
    Image.new("RGB", (30, 30), "magenta").save(folder / "poison.png")
    rows = [row(number, "poison.png") if number == 7 else row(number) for number in range(40)]
    found = outcomes(open_pipeline(), rows)
    assert [number for number, one in enumerate(found) if isinstance(vector(one), ModelOutputInvalid)] == [7]


def test_a_device_without_memory_for_one_picture_ends_the_iteration_with_its_cause(open_pipeline: Open) -> None:
    with pytest.raises(DeviceOutOfMemory, match="Not even one"):
        outcomes(open_pipeline("no memory"), [row(number) for number in range(40)])


def test_no_more_rows_are_taken_than_are_allowed(open_pipeline: Open) -> None:
    taken = 0

    def counted() -> Iterator[tuple[ImageRow, None]]:
        nonlocal taken
        for number in range(60):
            taken += 1
            yield row(number), None

    for ahead in (1, 5, 32):
        taken = 0
        with closing(open_pipeline()) as pipeline:
            for number, _ in enumerate(in_order(pipeline, counted(), lambda ahead=ahead: ahead)):  # type: ignore[misc]
                assert taken - number <= ahead
        assert taken == 60


def test_a_row_may_bring_its_own_answer_and_is_left_alone(open_pipeline: Open) -> None:
    rows = [(row(number, "nowhere.jpg"), "given") if number % 2 else (row(number), None) for number in range(20)]
    with closing(open_pipeline()) as pipeline:
        found = [answer for _, answer in in_order(pipeline, rows, lambda: 4)]
    assert found[1::2] == ["given"] * 10
    assert all(isinstance(answer, Embedded) for answer in found[::2])


def test_a_catalog_that_fails_ends_the_iteration_after_the_rows_that_it_gave(open_pipeline: Open) -> None:
    def failing() -> Iterator[tuple[ImageRow, None]]:
        yield from ((row(number), None) for number in range(12))
        raise CatalogUnavailable("the database is gone")

    seen: list[str] = []
    with closing(open_pipeline()) as pipeline:
        found = in_order(pipeline, failing(), lambda: 8)
        seen.extend(next(found)[0].key for _ in range(12))
        with pytest.raises(CatalogUnavailable):
            next(found)
    assert seen == [str(number) for number in range(12)]


def test_closed_early_it_leaves_no_thread_behind(open_pipeline: Open) -> None:
    pipeline = open_pipeline()
    found = in_order(pipeline, ((row(number), None) for number in range(1000)), lambda: pipeline.capacity)
    next(found)
    found.close()
    pipeline.close()
    pipeline.close()
    assert [thread for thread in threading.enumerate() if thread.name == "engine"] == []


def test_no_rows_have_no_answers(open_pipeline: Open) -> None:
    assert outcomes(open_pipeline(), []) == []


def test_stages_tell_how_busy_they_were(open_pipeline: Open) -> None:
    before = time.monotonic()
    pipeline = open_pipeline()
    assert before <= pipeline.readings().at <= time.monotonic()
    outcomes(pipeline, [row(number) for number in range(40)])
    for stage in pipeline.readings().stages.values():
        assert stage.pictures == 40
        assert stage.seconds > 0


def test_killed_in_the_middle_the_process_is_started_anew_and_every_picture_is_answered_once(folder: Path) -> None:
    engine = EngineProcess(GridModels)
    pipeline = RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST)
    expected = outcomes(
        ThreadPipeline(LocalFiles((folder,)), [Grid()], Mode.FAST), [row(number) for number in range(600)]
    )
    killed = 0
    found = []
    for one, outcome in in_order(pipeline, ((row(number), None) for number in range(600)), lambda: pipeline.capacity):
        found.append(outcome)
        if int(one.key) in (3, 210, 555):
            pid = engine.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            killed += 1
    assert len(found) == 600
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(vector(mine), vector(other), atol=1e-6)
    assert killed == 3
    assert any("SIGKILL" in note for note in pipeline.readings().notes)
    pipeline.close()
    engine.close()


def test_a_picture_that_kills_the_process_costs_only_itself(folder: Path) -> None:
    Image.new("RGB", (30, 30), (0, 255, 0)).save(folder / "deadly.png")
    engine = EngineProcess(partial(GridModels, deadly=True))
    rows = [row(number, "deadly.png") if number == 11 else row(number) for number in range(60)]
    found = outcomes(RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST), rows)
    assert [number for number, one in enumerate(found) if not isinstance(one, Embedded)] == [11]
    assert isinstance(found[11], ImageUnreadable)
    assert found[11].path == "deadly.png"
    assert "exit code 9" in found[11].message
    engine.close()


def test_where_every_picture_kills_the_process_the_iteration_ends_and_says_how(folder: Path) -> None:
    Image.new("RGB", (30, 30), (0, 255, 0)).save(folder / "deadly.png")
    engine = EngineProcess(partial(GridModels, deadly=True))
    rows = [row(number, "deadly.png") for number in range(20)]
    with pytest.raises(EngineStopped, match="exit code 9"):
        outcomes(RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST), rows)
    engine.close()


def test_a_lost_device_ends_the_process_and_the_pictures_are_taken_up_again_by_a_new_one(folder: Path) -> None:
    engine = EngineProcess(GridModels)
    mark = folder / "lost once"
    mark.touch()
    fragile = versions(f"loses its device while {mark} is there")
    pipeline = RemotePipeline(engine, LocalFiles((folder,)), fragile, Mode.FAST)
    found = outcomes(pipeline, [row(number) for number in range(30)])
    assert all(isinstance(one, Embedded) for one in found)
    assert any("its device stopped working" in note for note in pipeline.readings().notes)
    engine.close()


def test_the_process_ends_with_the_console(folder: Path) -> None:
    engine = EngineProcess(GridModels)
    RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST)
    pid = engine.pid
    assert pid is not None
    engine.close()
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(EngineStopped, match="closed"):
        RemotePipeline(engine, LocalFiles((folder,)), versions("grid"), Mode.FAST)
