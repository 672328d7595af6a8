import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from console_core.embedding.turns import BESIDE, NICENESS, Turn, background, in_background

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")


def place_of_a_query(mine: Turn) -> int:
    with mine.taken() as place:
        return place


def wait_for(mine: Turn, waiting: int) -> None:
    while mine.waiting() < waiting:
        time.sleep(0.001)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_turns_come_in_the_order_of_asking() -> None:
    mine, order, asked = Turn(), [], []

    def ask(number: int) -> None:
        asked.append(number)
        with mine.taken():
            order.append(number)

    with mine.taken():
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
        for number, thread in enumerate(threads):
            thread.start()
            wait_for(mine, number + 1)
    for thread in threads:
        thread.join()
    assert order == asked == [0, 1, 2, 3, 4]


def test_a_query_goes_before_every_pass_of_a_run_that_waits() -> None:
    mine, order = Turn(), []

    def run(number: int) -> None:
        with background(), mine.taken():
            order.append(f"run {number}")

    def query() -> None:
        with mine.taken():
            order.append("query")

    with mine.taken():
        threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
        threads.append(threading.Thread(target=query))
        for number, thread in enumerate(threads):
            thread.start()
            wait_for(mine, number + 1)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == ["query", "run 0", "run 1", "run 2"]


def test_where_queries_do_not_wait_one_goes_on_while_all_places_are_taken() -> None:
    mine, both, done = Turn(2, queries_wait=False), threading.Barrier(3), threading.Event()
    places: list[int] = []

    def run() -> None:
        with background(), mine.taken() as place:
            places.append(place)
            both.wait(20)
            assert done.wait(20)

    with ThreadPoolExecutor(2) as pool:
        passes = [pool.submit(run) for _ in range(2)]
        both.wait(20)
        assert place_of_a_query(mine) == BESIDE
        done.set()
        for one in passes:
            one.result(20)
    assert sorted(places) == [0, 1]


def test_a_query_waits_for_one_batch_of_a_run_and_not_for_the_run() -> None:
    mine, stop, batches = Turn(), threading.Event(), [0]

    def run() -> None:
        with background():
            while not stop.is_set():
                with mine.taken():
                    batches[0] += 1
                    time.sleep(0.01)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while not batches[0]:
            time.sleep(0.001)
        waited = []
        for _ in range(5):
            before = batches[0]
            with mine.taken():
                waited.append(batches[0] - before)
    finally:
        stop.set()
        thread.join()
    assert max(waited) <= 1


@pytest.mark.parametrize("passes", [1, 3])
def test_never_more_at_a_time_than_there_are_places_and_no_place_twice(passes: int) -> None:
    mine, guard, inside, most = Turn(passes), threading.Lock(), set[int](), [0]

    def work() -> None:
        for _ in range(200):
            with mine.taken() as place:
                with guard:
                    assert place not in inside
                    inside.add(place)
                    most[0] = max(most[0], len(inside))
                time.sleep(0)
                with guard:
                    inside.remove(place)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(work) for _ in range(6)]:
            done.result(60)
    assert most[0] == passes
    assert sorted(mine._free) == list(range(passes))


def test_a_place_is_free_again_after_an_error() -> None:
    mine = Turn()
    with pytest.raises(ZeroDivisionError), mine.taken():
        raise ZeroDivisionError
    assert place_of_a_query(mine) == 0


def test_only_the_thread_that_said_so_works_in_the_background() -> None:
    said, asked = threading.Event(), threading.Event()

    def work() -> tuple[bool, bool]:
        with background():
            said.set()
            assert asked.wait(20)
            within = in_background()
        return within, in_background()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(work)
        assert said.wait(20)
        assert not in_background()
        asked.set()
        assert answer.result(20) == (True, False)


@on_linux
def test_a_background_thread_gives_way_to_others_and_leaves_their_priority_alone() -> None:
    def lowered() -> tuple[int, int]:
        before = niceness()
        with background(), background():
            return before, niceness()

    mine = niceness()
    with ThreadPoolExecutor(1) as pool:
        before, within = pool.submit(lowered).result(20)
    assert within == max(before, NICENESS)
    assert niceness() == mine


@on_linux
def test_where_priorities_may_not_be_set_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    with background():
        assert in_background()
