"""Two maps of the same pictures: what is shown of them is theirs, and the same each time."""

import numpy as np
import pytest

from console_core.errors import Refused
from console_core.querylab.projection import by_likeness, by_value, maps, neighbourhood_change

CHANCE = np.random.default_rng(5)
A = CHANCE.standard_normal((60, 16)).astype(np.float32)
KEYS = [str(number) for number in range(60)]


def turned(vectors: np.ndarray) -> np.ndarray:
    """The same pictures as a model would say them that differs by a rotation only."""
    rotation, _ = np.linalg.qr(np.random.default_rng(8).standard_normal((16, 16)))
    over: np.ndarray = (vectors @ rotation).astype(np.float32)
    return over


def test_a_model_that_only_turns_the_space_changes_no_neighbourhood_and_gives_the_same_map() -> None:
    found = maps(KEYS, A, turned(A))
    assert found.change.max() == 0
    assert np.abs(found.first - found.first.mean(axis=0) - found.second).max() < 1e-5
    assert found.explained is not None
    assert found.explained[0] == pytest.approx(found.explained[1], abs=1e-6)


def test_the_same_pictures_give_the_same_maps_bit_for_bit() -> None:
    b = CHANCE.standard_normal((60, 8)).astype(np.float32)
    one, other = maps(KEYS, A, b), maps(KEYS, A, b)
    assert (one.first == other.first).all()
    assert (one.second == other.second).all()
    assert (one.change == other.change).all()


def test_laying_a_map_over_another_changes_no_distance_within_it() -> None:
    b = CHANCE.standard_normal((60, 8)).astype(np.float32)
    alone = maps(KEYS, b, b).first
    beside = maps(KEYS, A, b).second
    for flat in (alone, beside):
        flat -= flat.mean(axis=0)
    one, other = (np.linalg.norm(flat[:, None] - flat[None], axis=2) for flat in (alone, beside))
    assert np.abs(one - other).max() < 1e-6


def test_change_is_one_minus_jaccard_of_the_nearest_and_the_whole_where_nothing_is_kept() -> None:
    line = np.array([[np.cos(angle), np.sin(angle)] for angle in np.linspace(0, 1, 9)], dtype=np.float32)
    other = line[[0, 2, 1, 3, 4, 5, 6, 7, 8]]
    found = neighbourhood_change(line, other, k=2)
    nearest = [set(np.argsort(-(line @ line[row]), kind="stable")[1:3]) for row in range(9)]
    beside = [set(np.argsort(-(other @ other[row]), kind="stable")[1:3]) for row in range(9)]
    wanted = [1 - len(one & two) / len(one | two) for one, two in zip(nearest, beside, strict=True)]
    assert found == pytest.approx(wanted)
    assert 0 < found.max() <= 1


def test_pictures_in_pieces_have_the_neighbours_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    b = CHANCE.standard_normal((60, 8)).astype(np.float32)
    whole = neighbourhood_change(A, b, k=5)
    monkeypatch.setattr("console_core.querylab.projection._ROWS", 7)
    assert (neighbourhood_change(A, b, k=5) == whole).all()


def test_groups_lead_with_the_most_changed_and_have_every_picture_once() -> None:
    change = np.linspace(0, 1, 60)
    found = by_value(["low"] * 30 + ["high"] * 29 + [None], change)
    assert [(group.name, group.size) for group in found] == [("–", 1), ("high", 29), ("low", 30)]
    alike = by_likeness(A, change, groups=6, seed=3)
    assert sorted(row for group in alike for row in group.members) == list(range(60))
    assert [group.change for group in alike] == sorted((group.change for group in alike), reverse=True)
    assert alike == by_likeness(A, change, groups=6, seed=3)


def test_too_few_pictures_and_a_missing_extra_are_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match="19 pictures"):
        maps(KEYS[:19], A[:19], A[:19])
    try:
        import umap  # noqa: F401
    except ImportError:
        with pytest.raises(Refused) as told:
            maps(KEYS, A, A, method="UMAP")
        assert "embedding-console[umap]" in told.value.remedy


def test_vectors_without_length_do_not_break_the_map() -> None:
    b = A.copy()
    b[3] = 0
    assert np.isfinite(maps(KEYS, A, b).second).all()
