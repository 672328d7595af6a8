"""Questions of several parts: what vector comes of them, what each column answers, and where a threshold cuts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Vectors
from console_core.errors import NotFound, Refused
from console_core.querylab.comparison import Column
from console_core.querylab.image_search import ask_like
from console_core.querylab.question import LONGEST, Embedded, Question, combined
from console_core.querylab.remembered import Remembered
from console_core.querylab.search import ask
from console_core.vectorstore.types import Hit, Vector
from console_core.vectorstore.ways import Search
from tests.unit.querylab.conftest import CLIP, PICTURES, Lab

SNOW, NIGHT, BOAT = "snowy mountains", "night", "a boat"


def rows(lab: Lab, collection: str) -> Vector:
    """The vectors of all pictures, in the order of their keys."""
    points = lab.store.retrieve(collection, list(range(PICTURES)), vectors=True)
    return np.array([point.vector for point in points], dtype=np.float32)


def test_what_is_turned_away_from_lowers_a_picture_by_how_much_it_is_that(lab: Lab) -> None:
    question = Question(SNOW, without=(NIGHT, BOAT), without_weight=0.6)
    for column in ask(lab.store, lab.models, ["by-clip", "by-siglip"], question, limit=PICTURES).columns:
        snow, night, boat = lab.models.get(column.model).embed_texts([SNOW, NIGHT, BOAT])
        expected = rows(lab, column.asked) @ (snow - 0.6 * (night + boat) / 2)
        assert column.keys == tuple(str(key) for key in np.argsort(-expected))
        length = np.linalg.norm(snow - 0.6 * (night + boat) / 2)
        np.testing.assert_allclose([hit.score for hit in column.answers], np.sort(expected)[::-1] / length, atol=1e-5)
    assert question.label == "snowy mountains - night - a boat"


def test_a_text_and_a_picture_are_weighed_against_each_other_in_each_columns_own_model(lab: Lab) -> None:
    question = Question(NIGHT, like="5", picture=render(plan(40), 160), like_weight=2, picture_weight=0.5)
    for column in ask(lab.store, lab.models, ["by-clip", "by-siglip"], question, limit=PICTURES).columns:
        model = lab.models.get(column.model)
        assert question.picture is not None
        own = model.embed_images([model.preprocessing.exact(question.picture)])[0]
        stored = rows(lab, column.asked)
        expected = stored @ (model.embed_texts([NIGHT])[0] + 2 * stored[5] + 0.5 * own)
        assert column.keys == tuple(str(key) for key in np.argsort(-expected) if key != 5)


def test_an_uploaded_picture_finds_itself_first_and_needs_no_text_tower(lab: Lab) -> None:
    blind = LoadedModels(ModelCards([replace(lab.models.cards.get(CLIP), has_text=False)]), "cpu")
    (column,) = ask(lab.store, blind, ["by-clip"], Question(picture=render(plan(7), 160)), limit=1).columns
    assert column.keys == ("7",)


def test_a_question_that_is_a_catalogs_picture_only_loads_no_model(lab: Lab) -> None:
    models = LoadedModels(lab.models.cards, "cpu")
    asked = ask(lab.store, models, ["by-clip", "by-siglip"], Question(like="5"), limit=6)
    like = ask_like(lab.store, ["by-clip", "by-siglip"], "5", limit=6)
    assert models.resident() == []
    assert [column.answers for column in asked.columns] == [column.answers for column in like.columns]


def test_one_part_alone_is_asked_with_to_the_last_bit() -> None:
    vector = np.array([0.6, 0.8], dtype=np.float32)
    assert combined(Question("a"), Embedded((vector,)), lambda _: vector) is vector
    assert combined(Question("a", text_weight=0.3), Embedded((vector,)), lambda _: vector) is vector


def test_parts_that_cancel_each_other_out_are_each_columns_error(lab: Lab) -> None:
    comparison = ask(lab.store, lab.models, ["by-clip"], Question(SNOW, without=(SNOW,), without_weight=1))
    (error,) = [column.error for column in comparison.columns]
    assert isinstance(error, Refused)
    assert "cancel each other out" in error.message
    (column,) = ask(lab.store, lab.models, ["by-clip"], Question(SNOW, like="900")).columns
    assert isinstance(column.error, NotFound)


@pytest.mark.parametrize(
    "question",
    [
        Question(),
        Question(without=("night",)),
        Question("a" * (LONGEST + 1)),
        Question("a", without=("b" * (LONGEST + 1),)),
        Question("a", without=("b",) * 21),
        Question("a", text_weight=-1),
        Question("a", without=("b",), without_weight=float("nan")),
    ],
)
def test_a_question_without_sense_is_refused_before_anything_is_asked(lab: Lab, question: Question) -> None:
    with pytest.raises(Refused) as refused:
        ask(lab.store, lab.models, ["by-clip"], question)
    assert refused.value.remedy


def test_a_threshold_is_each_columns_own_and_says_how_many_it_kept_out(lab: Lab) -> None:
    (whole,) = ask(lab.store, lab.models, ["by-clip"], SNOW, limit=10).columns
    cut = whole.answers[3].score
    first, second = ask(lab.store, lab.models, [Column("by-clip", threshold=cut), "by-clip"], SNOW, limit=10).columns
    assert (first.keys, first.below, first.threshold) == (whole.keys[:4], 6, cut)
    assert (second.keys, second.below, second.threshold) == (whole.keys, 0, None)
    assert second.agreement is not None
    assert second.agreement.overlap == 0.4
    (like,) = ask_like(lab.store, [Column("by-clip", threshold=2.0)], "5").columns
    assert (like.answers, like.below, like.error) == ((), 20, None)


def test_each_column_is_searched_in_its_own_way(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = lab.store.search, []

    def seen(name: str, vector: Vector, **options: Any) -> list[Hit]:
        asked.append(options["way"])
        return real(name, vector, **options)

    monkeypatch.setattr(lab.store, "search", seen)
    ways = [Column("by-clip", way) for way in Search]
    comparison = ask(lab.store, lab.models, ways, SNOW)
    assert asked == [column.way for column in comparison.columns] == list(Search)
    ask_like(lab.store, ways, "5")
    assert asked == 2 * list(Search)


def test_what_was_embedded_lately_is_remembered_for_the_same_model_texts_and_pixels_only(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    embedder = lab.models.get(CLIP)
    really = embedder.embed_texts

    def embed_texts(texts: Sequence[str]) -> Vectors:
        asked.append(list(texts))
        return really(texts)

    monkeypatch.setattr(embedder, "embed_texts", embed_texts)
    remembered = Remembered(most=2)
    first, again, other = (
        ask(lab.store, lab.models, ["by-clip", "by-siglip"], question, limit=5, remembered=remembered)
        for question in (Question("snow"), Question("snow"), Question("snow", without=("night",)))
    )
    assert asked == [["snow"], ["snow", "night"]]
    assert [column.keys for column in first.columns] == [column.keys for column in again.columns]
    assert [column.keys for column in first.columns] != [column.keys for column in other.columns]
    pictures = [Image.new("RGB", size, (colour, 0, 0)) for size, colour in (((9, 4), 7), ((4, 9), 7), ((9, 4), 8))]
    shapes = {remembered.of(Question(picture=picture), embedder)[1] for picture in pictures}
    assert shapes == {False}
    assert remembered.of(Question(picture=pictures[2].copy()), embedder)[1]
    assert not remembered.of(Question("snow"), embedder)[1], "only the last two are kept"
