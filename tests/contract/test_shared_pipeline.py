"""Several members over one pipeline: each picture is decoded once, and nobody's wait is another's."""

import itertools
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.types import ImageRow
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder
from console_core.engine.meter import Meter, Stage
from console_core.engine.models import EngineModels, RemoteEmbedder
from console_core.engine.ordered import in_order
from console_core.engine.pacer import Pacer
from console_core.engine.process import EngineProcess
from console_core.engine.seat import Seat
from console_core.engine.service import Facts
from console_core.engine.shared import Shared
from console_core.engine.threads import ThreadPipeline
from console_core.engine.types import Embedded, Outcome
from console_core.errors import DeviceOutOfMemory, ImageMissing
from tests.grid_model import Forgetful, Grid, GridModels, Negative
from tests.lifecycle.failing import CountingFiles

ROWS = 240
Rows = list[ImageRow]


class Mirrored(Grid):
    """Its vectors are those of `Grid`, backwards."""

    def embed_images(self, pixels):  # type: ignore[no-untyped-def]
        return super().embed_images(pixels)[:, ::-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    dice = np.random.default_rng(4)
    for number in range(1, ROWS + 1):
        pixels = Image.fromarray(dice.integers(0, 255, (4, 4, 3), dtype=np.uint8))
        pixels.resize((16, 12), Image.Resampling.BICUBIC).save(folder / f"{number}.jpg")
    return folder


@pytest.fixture
def images(folder: Path) -> CountingFiles:
    return CountingFiles(folder)


def row(number: int) -> ImageRow:
    return ImageRow(str(number), (f"{number}.jpg",), {}, "r")


ALL = [row(number) for number in range(1, ROWS + 1)]


def alone(folder: Path, model: Embedder, rows: Sequence[ImageRow] = ALL) -> list[Outcome]:
    pipeline = ThreadPipeline(LocalFiles((folder,)), [model])
    with closing(pipeline):
        return [found for _, found in in_order(pipeline, ((one, None) for one in rows), lambda: pipeline.capacity)]


def shared(images: LocalFiles, *names: str, window: int = 0, patience: float = 60.0) -> Shared:
    return Shared(images, Mode.FAST, lambda: names, window=window, patience=patience)


Travels = Generator[tuple[ImageRow, Outcome], None, None]


def travel(seat: Seat, rows: Sequence[ImageRow] = ALL, passed: Sequence[int] = ()) -> Travels:
    """What a run does: its rows in order, of which some are passed over."""
    with closing(seat):
        given = ((one, "passed" if int(one.key) in passed else None) for one in rows)
        for one, found in in_order(seat, given, lambda: seat.capacity):
            if found != "passed":
                yield one, found  # type: ignore[misc]


def together(*members: Callable[[], list[tuple[ImageRow, Outcome]]]) -> list[list[tuple[ImageRow, Outcome]]]:
    with ThreadPoolExecutor(len(members)) as pool:
        return [future.result(60) for future in [pool.submit(member) for member in members]]


def same(found: Sequence[tuple[ImageRow, Outcome]], expected: Sequence[Outcome]) -> bool:
    assert len(found) == len(expected)
    for (_, mine), other in zip(found, expected, strict=True):
        assert isinstance(mine, Embedded)
        assert isinstance(other, Embedded)
        np.testing.assert_array_equal(mine.answers[0], other.answers[0])
        assert len(mine.answers) == 1
        assert mine.content == other.content
    return True


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name in ("engine", "shared")]


def test_three_models_get_their_own_vectors_and_each_picture_is_read_and_decoded_once(
    images: CountingFiles, folder: Path
) -> None:
    hub = shared(images, "a", "b", "c")
    models = {"a": Grid(), "b": Negative(), "c": Mirrored()}
    seats: dict[str, Seat] = {}

    def member(name: str) -> list[tuple[ImageRow, Outcome]]:
        seats[name] = hub.join(name, models[name], left=ROWS)
        return list(travel(seats[name]))

    found = together(*(lambda name=name: member(name) for name in models))
    for mine, model in zip(found, (Grid(), Negative(), Mirrored()), strict=True):
        assert same(mine, alone(folder, model))
    assert sorted(images.asked) == sorted(one.candidates[0] for one in ALL)
    assert [model.embedded for model in models.values()] == [ROWS] * 3
    for seat in seats.values():
        assert sum(seat.readings().decoders.values()) == ROWS
    assert threads() == []


def test_how_busy_the_stages_were_is_told_from_the_beginning_of_a_member(images: CountingFiles) -> None:
    seat = shared(images, "a").join("a", Grid(), left=ROWS)
    pacer = Pacer(Meter({Stage.WRITE: 1}), mode="fast", device="cpu, float32")
    began = time.monotonic()
    with pacer.watching(seat):
        list(travel(seat))
        pace = pacer.pace(last=True)
    taken = time.monotonic() - began
    assert pace is not None
    assert pace.overall.loads[Stage.DECODE].rate == pytest.approx(ROWS / taken, rel=0.3)


def test_in_a_process_of_its_own_the_engine_decodes_each_picture_once_for_two_models(folder: Path) -> None:
    engine = EngineProcess(GridModels)
    cards = ModelCards([Grid.card, replace(Grid.card, key="negative")])
    models = EngineModels(cards, engine, 0.0)
    hub = shared(LocalFiles((folder,)), "a", "b")
    seats = []

    def member(name: str, key: str) -> list[tuple[ImageRow, Outcome]]:
        seat = hub.join(name, _as(models.get(key), key, engine), left=ROWS)
        seats.append(seat)
        return list(travel(seat))

    try:
        (model,) = {(one.batch, one.largest_batch, one.passes) for one in map(models.get, ("grid", "negative"))}
        assert model == (Grid.batch, Grid.largest_batch, Grid.passes)
        ones, others = together(lambda: member("a", "grid"), lambda: member("b", "negative"))
        assert same(ones, alone(folder, Grid()))
        assert same(others, alone(folder, Negative()))
        assert [sum(seat.readings().decoders.values()) for seat in seats] == [ROWS, ROWS]
    finally:
        engine.close()


def test_a_member_that_passes_rows_by_is_answered_for_the_others(images: CountingFiles, folder: Path) -> None:
    hub = shared(images, "all", "odd", "few")
    passed = {"all": (), "odd": tuple(range(2, ROWS + 1, 2)), "few": tuple(range(1, ROWS - 4))}

    def member(name: str) -> list[tuple[ImageRow, Outcome]]:
        return list(travel(hub.join(name, Grid(), left=ROWS), passed=passed[name]))

    found = together(*(lambda name=name: member(name) for name in passed))
    for mine, name in zip(found, passed, strict=True):
        rows = [one for one in ALL if int(one.key) not in passed[name]]
        assert [one.key for one, _ in mine] == [one.key for one in rows]
        assert same(mine, alone(folder, Grid(), rows))
    again = len(images.asked) - ROWS
    assert again <= 5, "who leaps ahead may decode its own few"


def test_nobody_runs_further_ahead_of_the_slowest_than_the_window(images: CountingFiles) -> None:
    hub = shared(images, "quick", "slow", window=20)
    begun: Future[Seat] = Future()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(hub.join, "slow", Grid(), left=ROWS)
        quick = hub.join("quick", Grid(), left=ROWS)
        begun.set_result(slow.result(60))
    seat = begun.result()
    taken = travel(seat)
    first = [next(taken) for _ in range(10)]
    assert len(first) == 10
    got: list[str] = []

    def hurry() -> None:
        got.extend(one.key for one, _ in travel(quick))

    hurrying = threading.Thread(target=hurry)
    hurrying.start()
    asked = seat.place
    settled = _until_it_rests(images)
    assert settled <= asked + ROWS + 1 + 20 + 1
    assert len(got) < ROWS
    rest = list(taken)
    hurrying.join(60)
    assert len(first) + len(rest) == len(got) == ROWS
    assert len(images.asked) == ROWS


def test_a_member_that_does_not_move_is_left_behind_and_decodes_for_itself_from_then_on(
    images: CountingFiles, folder: Path
) -> None:
    hub = shared(images, "quick", "stuck", window=20, patience=0.2)
    with ThreadPoolExecutor(1) as pool:
        joining = pool.submit(hub.join, "stuck", Negative(), left=ROWS)
        quick = hub.join("quick", Grid(), left=ROWS)
        seat = joining.result(60)
    taken = travel(seat)
    first = [next(taken) for _ in range(3)]
    assert same(list(travel(quick)), alone(folder, Grid()))
    assert same([*first, *taken], alone(folder, Negative()))
    assert any("held the others up" in note for note in seat.readings().notes)
    assert quick.readings().notes == ()
    assert ROWS < len(images.asked) < 2 * ROWS
    assert threads() == []


@pytest.mark.parametrize("ends", ["closes", "fails"])
def test_a_member_that_ends_in_the_middle_frees_the_others_at_once(
    images: CountingFiles, folder: Path, ends: str
) -> None:
    hub = shared(images, "a", "b", window=20)
    with ThreadPoolExecutor(1) as pool:
        joining = pool.submit(hub.join, "b", Negative(), left=ROWS)
        seat = hub.join("a", Grid(), left=ROWS)
        leaving = joining.result(60)
    taken = travel(leaving)
    next(taken)
    with ThreadPoolExecutor(1) as pool:
        going = pool.submit(lambda: list(travel(seat)))
        _until_it_rests(images)
        assert not going.done()
        if ends == "fails":
            with pytest.raises(RuntimeError):
                taken.throw(RuntimeError("the store is gone"))
        else:
            taken.close()
        assert same(going.result(60), alone(folder, Grid()))
    assert len(images.asked) == ROWS
    assert threads() == []


def test_a_model_that_breaks_down_ends_its_own_member_only(images: CountingFiles, folder: Path) -> None:
    hub = shared(images, "good", "bad")

    def bad() -> list[tuple[ImageRow, Outcome]]:
        with pytest.raises(DeviceOutOfMemory):
            list(travel(hub.join("bad", Forgetful(), left=ROWS)))
        return []

    found, _ = together(lambda: list(travel(hub.join("good", Grid(), left=ROWS))), bad)
    assert same(found, alone(folder, Grid()))
    assert threads() == []


def test_a_picture_that_cannot_be_read_is_the_same_failure_for_all(images: CountingFiles) -> None:
    hub = shared(images, "a", "b")
    rows = [row(number) if number % 7 else ImageRow(str(number), ("nowhere.jpg",), {}, "r") for number in range(1, 60)]
    found = together(
        *(lambda name=name: list(travel(hub.join(name, Grid(), left=len(rows)), rows)) for name in ("a", "b"))
    )
    for mine in found:
        assert [one.key for one, outcome in mine if isinstance(outcome, ImageMissing)] == [
            str(number) for number in range(7, 60, 7)
        ]


def test_members_that_resume_a_few_rows_apart_meet_again(images: CountingFiles, folder: Path) -> None:
    hub = shared(images, "a", "b", window=60)

    def member(name: str, behind: int) -> list[tuple[ImageRow, Outcome]]:
        return list(travel(hub.join(name, Grid(), left=ROWS - behind), ALL[behind:]))

    ones, others = together(lambda: member("a", 40), lambda: member("b", 64))
    assert same(ones, alone(folder, Grid(), ALL[40:]))
    assert same(others, alone(folder, Grid(), ALL[64:]))
    assert len(images.asked) == ROWS - 40


def test_members_that_are_far_apart_travel_alone(images: CountingFiles, folder: Path) -> None:
    hub = shared(images, "a", "b", window=20)

    def member(name: str, behind: int) -> list[tuple[ImageRow, Outcome]]:
        return list(travel(hub.join(name, Grid(), left=ROWS - behind), ALL[behind:]))

    ones, others = together(lambda: member("a", 0), lambda: member("b", 100))
    assert same(ones, alone(folder, Grid()))
    assert same(others, alone(folder, Grid(), ALL[100:]))
    assert len(images.asked) == 2 * ROWS - 100


def test_rows_that_appear_in_the_catalog_meanwhile_are_embedded_by_those_that_find_them(
    images: CountingFiles, folder: Path
) -> None:
    hub = shared(images, "old", "new")
    fewer = [one for one in ALL if int(one.key) % 50]
    ones, others = together(
        lambda: list(travel(hub.join("old", Grid(), left=len(fewer)), fewer)),
        lambda: list(travel(hub.join("new", Grid(), left=ROWS), ALL)),
    )
    assert same(ones, alone(folder, Grid(), fewer))
    assert same(others, alone(folder, Grid()))
    assert len(images.asked) == ROWS


def test_who_is_expected_and_does_not_come_is_not_waited_for_once_it_is_not_expected_any_more(
    images: CountingFiles, folder: Path
) -> None:
    asked = itertools.count()
    hub = Shared(images, Mode.FAST, lambda: ("a", "b") if next(asked) < 5 else ("a",))
    assert same(list(travel(hub.join("a", Grid(), left=ROWS))), alone(folder, Grid()))
    assert next(asked) >= 5


def _until_it_rests(images: CountingFiles) -> int:
    """How many pictures were read when nothing more was read for a moment."""
    seen = -1
    while len(images.asked) != seen:
        seen = len(images.asked)
        time.sleep(0.3)
    return seen


def _as(model: Embedder, key: str, engine: EngineProcess) -> RemoteEmbedder:
    """The model of an engine under the key that it was asked for by: all grid models say that they are "grid"."""
    facts = Facts(
        replace(model.card, key=key), model.fingerprint, "cpu", model.preprocessing, model.batch, model.batch, 2
    )
    return RemoteEmbedder(facts, engine)
