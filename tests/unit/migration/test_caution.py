"""How large the batches of a run are: as asked, or smaller where pictures come slowly."""

from collections.abc import Iterator

import pytest

from console_core.catalog.types import ImageRow
from console_core.errors import ImageMissing
from console_core.migration.batch import Fetched, Filled, Passed
from console_core.migration.breaker import LIMIT, Breaker
from console_core.migration.caution import FIRST, Caution
from console_core.vectorstore.types import Point


def rows(number: int) -> Iterator[Fetched]:
    return ((ImageRow(str(key), (f"{key}.jpg",), {}, "r"), Passed("embedded already")) for key in range(number))


@pytest.fixture
def caution() -> Caution:
    return Caution(Breaker("the folder", "grid", lambda: "the store"), 100, ())


def test_a_batch_has_as_many_pictures_as_are_asked_for_and_the_last_one_the_rest(caution: Caution) -> None:
    fetched = rows(10)
    batches = [(len(caution.next_batch(fetched, 4)), caution.ended) for _ in range(4)]
    assert batches == [(4, False), (4, False), (2, True), (0, True)]


def test_the_first_batch_is_small_so_that_the_store_shows_early_whether_it_takes_it(caution: Caution) -> None:
    assert len(caution.next_batch(rows(300), 256)) == FIRST


def test_where_pictures_come_slowly_a_batch_ends_early_but_has_one_at_least(
    caution: Caution, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_core.migration.caution.PATIENCE", 0.0)
    fetched = rows(3)
    assert [len(caution.next_batch(fetched, 256)) for _ in range(4)] == [1, 1, 1, 0]
    assert caution.ended


def test_a_batch_ends_with_the_picture_with_which_as_many_have_failed_in_a_row_as_may(caution: Caution) -> None:
    fetched = iter([*rows(10), *((row, ImageMissing("It is not there.", "Store it.")) for row, _ in rows(300))])
    caution.next_batch(fetched, 10)
    caution.count([], Filled((Point(1, None, {}),), (), (), {}, ""))
    assert len(caution.next_batch(fetched, 256)) == LIMIT
