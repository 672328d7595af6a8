import pytest

from console_core.runs.accounting import check
from console_core.runs.types import Counts


def test_right_books_have_nothing_to_say() -> None:
    counts = Counts(10, 5, {"unchanged": 2}, {"missing": 3})
    assert check(counts) == ""
    assert check(counts, before=Counts(9, 5, {"unchanged": 2}, {"missing": 1}), finished=True) == ""


def test_a_picture_that_failed_may_be_done_later() -> None:
    assert check(Counts(10, 6, {}, {"missing": 2}), before=Counts(10, 5, {}, {"missing": 3})) == ""


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(-1), "selected pictures is negative"),
        (Counts(5, -1), "done pictures is negative"),
        (Counts(5, 1, {"unchanged": -2}), "skipped (unchanged) pictures is negative"),
        (Counts(5, 1, {}, {"missing": -1}), "failed (missing) pictures is negative"),
        (Counts(5, 4, {"unchanged": 1}, {"missing": 1}), "6 pictures are accounted for, but only 5 were selected"),
    ],
)
def test_wrong_books_are_named(counts: Counts, said: str) -> None:
    assert said in check(counts)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(9, 5), "selected pictures went down from 10 to 9"),
        (Counts(10, 4, {"unchanged": 3}), "done pictures went down from 5 to 4"),
        (Counts(10, 5), "settled pictures went down from 7 to 5"),
    ],
)
def test_books_that_run_backwards_are_named(counts: Counts, said: str) -> None:
    assert said in check(counts, before=Counts(10, 5, {"unchanged": 2}))


def test_a_finished_run_has_nothing_pending() -> None:
    assert check(Counts(10, 9)) == ""
    assert "1 of 10 pictures are neither" in check(Counts(10, 9), finished=True)
