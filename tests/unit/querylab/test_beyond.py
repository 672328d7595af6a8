"""The percentile of a picture in a column that does not have it among its answers."""

from pathlib import Path

import pytest

from console_core.querylab.beyond import percentile_of
from console_core.querylab.samples import Samples
from console_core.querylab.search import ask
from tests.unit.querylab.conftest import PICTURES, Lab


def test_a_picture_that_was_not_found_has_the_percentile_that_it_has_among_all_answers(
    lab: Lab, tmp_path: Path
) -> None:
    samples = Samples(lab.store, tmp_path).of
    columns = ["by-clip", "by-siglip", "vanished"]
    few, all_of_them = (
        ask(lab.store, lab.models, columns, "snow", limit=limit, samples=samples) for limit in (3, PICTURES)
    )
    for short, whole in zip(few.columns[:2], all_of_them.columns[:2], strict=True):
        assert len(whole.answers) == PICTURES
        told = {hit.key: hit.percentile for hit in whole.answers}
        for key in told.keys() - set(short.keys):
            assert percentile_of(lab.store, short, key, samples) == pytest.approx(told[key])
        assert percentile_of(lab.store, short, "no such picture", samples) is None
    assert percentile_of(lab.store, few.columns[2], "1", samples) is None
    (without,) = ask(lab.store, lab.models, ["by-clip"], "snow").columns
    assert percentile_of(lab.store, without, "1", samples) is None
