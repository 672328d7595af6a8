"""The shift of ranks between two columns."""

from console_core.ui.gallery import Shift, shifts


def test_a_picture_that_rose_fell_stayed_came_or_went_says_so() -> None:
    before, after = shifts(["a", "b", "c", "d"], ["b", "a", "c", "e"])
    assert before == {"d": Shift("gone")}
    assert after == {"b": Shift("up", 1), "a": Shift("down", 1), "c": Shift("same", 0), "e": Shift("new")}


def test_shifts_are_told_by_a_sign_and_not_by_colour_alone() -> None:
    shown = [Shift("up", 3), Shift("down", 2), Shift("same"), Shift("new"), Shift("gone")]
    assert [shift.text for shift in shown] == ["▲ 3", "▼ 2", "=", "new", "gone"]
    assert Shift("up", 1).meaning == "1 place higher than in the other column"


def test_two_empty_columns_have_no_shifts() -> None:
    assert shifts([], []) == ({}, {})
