"""The choice of pictures, and the queries that it is chosen for."""

from collections import Counter

import pytest

from console_core.demo.gallery import FULL, select
from console_core.demo.queries import ACCEPTANCE, SHOWCASE
from console_core.demo.scene import Scene, figures, kind
from console_core.demo.vocabulary import THINGS


@pytest.fixture(scope="module")
def gallery() -> list[Scene]:
    return select(FULL)


def test_the_gallery_has_the_number_asked_for_without_repetition(gallery: list[Scene]) -> None:
    assert len(gallery) == FULL == len({scene.seed for scene in gallery})
    assert select(60) == select(60)
    assert len(select(24)) == 24


def test_every_suggestion_has_eight_right_answers(gallery: list[Scene]) -> None:
    for query in SHOWCASE:
        assert sum(map(query.is_relevant, gallery)) >= 8, query.text


def test_every_acceptance_query_has_five_right_answers_and_many_wrong_ones(gallery: list[Scene]) -> None:
    for query in ACCEPTANCE:
        assert 5 <= sum(map(query.is_relevant, gallery)) < FULL / 4, query.text


def test_every_thing_and_every_kind_is_shown(gallery: list[Scene]) -> None:
    shown = Counter(figure.name for scene in gallery for figure in figures(scene))
    assert min(shown[name] for name in THINGS) >= 5
    assert all(share > 60 for share in Counter(map(kind, gallery)).values())


def test_a_small_gallery_still_answers_every_suggestion() -> None:
    small = select(120)
    for query in SHOWCASE:
        assert any(map(query.is_relevant, small)), query.text


def test_the_acceptance_set_is_large_and_says_everything_once() -> None:
    assert len(ACCEPTANCE) >= 64
    assert len({query.text for query in (*ACCEPTANCE, *SHOWCASE)}) == len(ACCEPTANCE) + len(SHOWCASE)
    assert min(Counter(query.kind for query in ACCEPTANCE).values()) >= 6
