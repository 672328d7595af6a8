"""Reading ahead: in order, within bounds, and nothing left behind."""

import random
import threading
import time
import weakref
from collections.abc import Iterable, Iterator

import pytest

from console_core.catalog.fetching import fetch
from console_core.catalog.types import ImageRow
from console_core.errors import CatalogUnavailable, ImageMissing, ImageUnreadable


def rows(count: int) -> Iterator[ImageRow]:
    return (ImageRow(str(number), (), {}, "r") for number in range(count))


def consume(answers: Iterable[tuple[ImageRow, object]], seen: list[str]) -> None:
    for row, _ in answers:
        seen.append(row.key)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]


def test_answers_come_in_the_order_of_the_rows_however_long_each_takes() -> None:
    waits = random.Random(1)

    def work(row: ImageRow) -> int:
        time.sleep(waits.random() / 500)
        return int(row.key) * 2

    answered = [(row.key, answer) for row, answer in fetch(rows(200), work, workers=8, ahead=20)]
    assert answered == [(str(number), number * 2) for number in range(200)]
    assert threads() == []


def test_an_image_error_is_an_answer_and_its_neighbours_have_theirs() -> None:
    def work(row: ImageRow) -> str:
        if int(row.key) % 3 == 0:
            raise ImageMissing(f"{row.key} is gone.")
        return row.key

    answers = [answer for _, answer in fetch(rows(7), work, workers=2, ahead=4)]
    assert [type(answer).__name__ for answer in answers] == ["ImageMissing", "str", "str"] * 2 + ["ImageMissing"]
    assert str(answers[3]) == "3 is gone."


def test_any_other_exception_ends_the_iteration_in_its_turn_and_leaves_no_thread() -> None:
    def work(row: ImageRow) -> str:
        if row.key == "5":
            raise ZeroDivisionError("a defect")
        return row.key

    seen: list[str] = []
    with pytest.raises(ZeroDivisionError, match="a defect"):
        consume(fetch(rows(50), work, workers=4, ahead=10), seen)
    assert seen == ["0", "1", "2", "3", "4"]
    assert threads() == []


def test_a_catalog_that_fails_ends_the_iteration_after_the_rows_that_it_gave() -> None:
    def failing() -> Iterator[ImageRow]:
        yield from rows(12)
        raise CatalogUnavailable("the database is gone")

    seen: list[str] = []
    with pytest.raises(CatalogUnavailable):
        consume(fetch(failing(), lambda row: row.key, workers=3, ahead=8), seen)
    assert seen == [str(number) for number in range(12)]
    assert threads() == []


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (2, 1), (3, 5), (4, 32)])
def test_no_more_rows_are_taken_than_allowed(workers: int, ahead: int) -> None:
    taken = 0

    def counted() -> Iterator[ImageRow]:
        nonlocal taken
        for row in rows(60):
            taken += 1
            yield row

    for number, _ in enumerate(fetch(counted(), lambda row: row.key, workers=workers, ahead=ahead)):
        assert taken - number <= ahead
    assert taken == 60


def test_work_runs_on_several_threads_at_once_and_on_no_more_than_asked_for() -> None:
    together = threading.Barrier(3, timeout=10)

    def work(row: ImageRow) -> str:
        together.wait()  # only three at once let each other go
        return threading.current_thread().name

    names = {answer for _, answer in fetch(rows(30), work, workers=3, ahead=9)}
    assert len(names) == 3


def test_closing_early_stops_the_work_and_joins_the_threads() -> None:
    started: list[str] = []

    def work(row: ImageRow) -> str:
        started.append(row.key)
        time.sleep(0.01)
        return row.key

    fetching = fetch(rows(1000), work, workers=2, ahead=50)
    next(fetching)
    assert threads()
    fetching.close()
    assert threads() == []
    stopped_at = len(started)
    assert stopped_at < 50
    time.sleep(0.05)
    assert len(started) == stopped_at


def test_nothing_starts_before_the_first_answer_is_asked_for() -> None:
    started: list[str] = []
    fetching = fetch(rows(5), lambda row: started.append(row.key), workers=2, ahead=2)
    assert started == []
    assert threads() == []
    assert len(list(fetching)) == 5


def test_no_rows_have_no_answers() -> None:
    assert list(fetch(rows(0), lambda row: row.key, workers=2, ahead=2)) == []
    assert threads() == []


class Pixels:
    """Something large that can be watched."""


def test_neither_an_answer_nor_a_failure_holds_on_to_pixels_that_are_not_needed_any_more() -> None:
    alive: list[weakref.ref[Pixels]] = []

    def work(row: ImageRow) -> Pixels:
        pixels = Pixels()
        alive.append(weakref.ref(pixels))
        if int(row.key) % 2:
            try:
                int("damaged")
            except ValueError as error:
                raise ImageUnreadable("damaged") from error
        return pixels

    failures = []
    for row, answer in fetch(rows(20), work, workers=2, ahead=3):
        if isinstance(answer, ImageUnreadable):
            failures.append(answer)
        del answer
        assert sum(ref() is not None for ref in alive[: int(row.key)]) == 0
    assert len(failures) == 10
