"""What one picture costs that a model chokes on."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from console_core.embedding.types import Pixels, Vectors
from console_core.engine.answering import answers
from console_core.errors import ModelOutputInvalid
from tests.grid_model import SIDE, Grid

MAGENTA = (255, 0, 255)


class Counting(Grid):
    def __init__(self) -> None:
        super().__init__()
        self.passes_made = 0

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        self.passes_made += 1
        return super().embed_images(pixels)


def pictures(number: int, bad: Sequence[int] = ()) -> NDArray[np.uint8]:
    drawn = np.random.default_rng(5).integers(0, 200, (number, SIDE, SIDE, 3), dtype=np.uint8)
    drawn[list(bad)] = MAGENTA
    return drawn


@pytest.mark.parametrize("bad", [0, 77, 255])
def test_one_bad_picture_costs_two_passes_for_each_halving_and_nobody_else_its_vector(bad: int) -> None:
    model, given = Counting(), pictures(256, [bad])
    found = answers(model, given)
    assert model.passes_made == 1 + 2 * 8
    assert [row for row, answer in enumerate(found) if isinstance(answer, ModelOutputInvalid)] == [bad]
    vectors = [answer for answer in found if not isinstance(answer, ModelOutputInvalid)]
    np.testing.assert_array_equal(np.stack(vectors), Grid().embed_images(np.delete(given, bad, axis=0)))


def test_of_an_odd_number_each_bad_picture_is_found() -> None:
    bad = [0, 3, 4, 12]
    found = answers(Grid(), pictures(13, bad))
    assert [row for row, answer in enumerate(found) if isinstance(answer, ModelOutputInvalid)] == bad


def test_a_batch_without_a_bad_picture_is_one_pass() -> None:
    model = Counting()
    assert len(answers(model, pictures(256))) == 256
    assert model.passes_made == 1
