"""One query in several columns: each through the model that made it, and one broken column leaves the others usable."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder, Vectors
from console_core.errors import (
    CollectionNotFound,
    DimensionMismatch,
    FingerprintMismatch,
    ModelUnknown,
    NoTextTower,
    NotFound,
    Refused,
)
from console_core.querylab.comparison import Comparison
from console_core.querylab.finding import search_one
from console_core.querylab.image_search import ask_like, search_like
from console_core.querylab.search import ask
from console_core.querylab.shifts import agreement, shifts
from console_core.vectorstore.provenance import Provenance
from console_core.vectorstore.types import CollectionSpec, Hit, ModelStamp, Point
from tests.unit.querylab.conftest import CLIP, PICTURES, SIGLIP, Lab, stamp

QUERY = "snowy mountains at night"


def errors(comparison: Comparison) -> list[type[Exception] | None]:
    return [type(column.error) if column.error else None for column in comparison.columns]


def test_each_column_is_asked_through_its_own_model(lab: Lab) -> None:
    comparison = ask(lab.store, lab.models, ["images", "by-siglip"], QUERY, limit=10)
    clip, siglip = comparison.columns
    assert (clip.asked, clip.model, siglip.model) == ("images", CLIP, SIGLIP)
    assert clip.collection is not None
    assert clip.collection.name == "by-clip"
    assert (comparison.reference, comparison.limit, comparison.query) == (0, 10, QUERY)
    for column, key in ((clip, CLIP), (siglip, SIGLIP)):
        assert column.error is None
        assert [answer.rank for answer in column.answers] == list(range(1, 11))
        scores = [answer.score for answer in column.answers]
        assert scores == sorted(scores, reverse=True)
        vector = lab.models.get(key).embed_texts([QUERY])[0]
        assert [answer.id for answer in column.answers] == [
            hit.id for hit in lab.store.search(column.asked, vector, limit=10)
        ]
        assert column.embed_ms > 0
        assert column.search_ms > 0


def test_answers_carry_the_catalog_key_and_the_applications_payload_only(lab: Lab) -> None:
    (column,) = ask(lab.store, lab.models, ["images"], QUERY, limit=3).columns
    for answer in column.answers:
        assert answer.key == str(answer.id)
        assert set(answer.payload) == {"seed", "even"}


def test_shifts_and_agreement_are_those_against_the_first_column(lab: Lab) -> None:
    first, same, other = ask(lab.store, lab.models, ["by-clip", "images", "by-siglip"], QUERY, limit=8).columns
    assert first.agreement is None
    assert {answer.shift for answer in first.answers} == {None}
    assert [answer.shift.kind for answer in same.answers if answer.shift] == ["same"] * 8
    assert same.agreement is not None
    assert (same.agreement.overlap, same.agreement.jaccard, same.gone) == (1, 1, ())
    expected = shifts(first.keys, other.keys)
    assert tuple(answer.shift for answer in other.answers) == expected.hits
    assert other.gone == expected.gone
    assert other.agreement == agreement(first.keys, other.keys, k=8)


def test_columns_without_any_answer_are_not_said_to_agree(lab: Lab) -> None:
    columns = ask(lab.store, lab.models, ["by-clip", "by-siglip"], QUERY, where={"even": ["neither"]}).columns
    assert [column.answers for column in columns] == [(), ()]
    assert [column.agreement for column in columns] == [None, None]


def test_a_payload_filter_reaches_every_column(lab: Lab) -> None:
    comparison = ask(lab.store, lab.models, ["by-clip", "by-siglip"], QUERY, limit=50, where={"even": [True]})
    for column in comparison.columns:
        assert len(column.answers) == PICTURES // 2
        assert all(answer.payload["even"] for answer in column.answers)


class Counting(LoadedModels):
    """The loaded models, with a count of the texts that each of them embeds."""

    def __init__(self, models: LoadedModels) -> None:
        self._real, self.cards = models, models.cards
        self.texts: Counter[str] = Counter()

    def get(self, key: str) -> Embedder:
        return _Counted(self._real.get(key), self.texts)


class _Counted:
    def __init__(self, embedder: Embedder, texts: Counter[str]) -> None:
        self._embedder, self._texts = embedder, texts

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        self._texts[self._embedder.card.key] += len(texts)
        return self._embedder.embed_texts(texts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)


def test_a_text_is_embedded_once_per_model_however_many_columns_it_has(lab: Lab) -> None:
    models = Counting(lab.models)
    columns = ask(lab.store, models, ["by-clip", "images", "by-siglip", "by-clip"], QUERY).columns
    assert models.texts == {CLIP: 1, SIGLIP: 1}
    assert columns[0].embed_ms == columns[1].embed_ms == columns[3].embed_ms


def test_a_vanished_collection_leaves_the_other_columns_usable(lab: Lab) -> None:
    comparison = ask(lab.store, lab.models, ["vanished", "by-clip", "by-siglip"], QUERY, limit=5)
    assert errors(comparison) == [CollectionNotFound, None, None]
    assert comparison.reference == 1
    assert comparison.columns[1].agreement is None
    assert comparison.columns[2].agreement is not None
    assert comparison.columns[0].answers == ()


def test_without_any_column_that_answers_there_is_no_reference(lab: Lab) -> None:
    comparison = ask(lab.store, lab.models, ["vanished", "gone"], QUERY)
    assert comparison.reference is None
    assert errors(comparison) == [CollectionNotFound] * 2


@pytest.mark.parametrize(
    ("recorded", "error"),
    [
        (None, ModelUnknown),
        (ModelStamp("model-of-someone-else", "f"), ModelUnknown),
        (ModelStamp(CLIP, "another fingerprint"), FingerprintMismatch),
    ],
)
def test_a_collection_that_no_loaded_model_made_is_not_searched(
    lab: Lab, recorded: ModelStamp | None, error: type[Exception]
) -> None:
    lab.store.create("odd", CollectionSpec(lab.models.get(CLIP).card.dimension, stamp=recorded))
    try:
        comparison = ask(lab.store, lab.models, ["odd", "by-clip"], QUERY)
    finally:
        lab.store.drop("odd")
    assert errors(comparison) == [error, None]
    found = comparison.columns[0].error
    assert found is not None
    assert found.remedy
    assert comparison.columns[0].model == (recorded.model if recorded else "")


def test_a_stamp_with_the_wrong_dimension_is_an_error_and_no_crash(lab: Lab) -> None:
    lab.store.create("odd", CollectionSpec(7, stamp=stamp(lab.models.get(CLIP))))
    try:
        assert errors(ask(lab.store, lab.models, ["odd", "by-siglip"], QUERY)) == [DimensionMismatch, None]
    finally:
        lab.store.drop("odd")


def test_a_model_without_a_text_tower_refuses_text_and_says_what_to_do_instead(lab: Lab) -> None:
    blind = LoadedModels(ModelCards([replace(lab.models.cards.get(CLIP), has_text=False)]), "cpu")
    (column,) = ask(lab.store, blind, ["by-clip"], QUERY).columns
    assert isinstance(column.error, NoTextTower)
    assert "Pick a picture" in column.error.remedy
    assert blind.resident() == [], "it was not loaded only to say no"
    with pytest.raises(NoTextTower, match="by-clip"):
        search_one(lab.store, blind, "by-clip", QUERY)
    found = search_like(lab.store, "by-clip", "5", limit=3)
    assert [hit["rank"] for hit in found] == [1, 2, 3]
    assert 5 not in {hit["id"] for hit in found}


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_refused_before_anything_is_asked(lab: Lab, text: str) -> None:
    with pytest.raises(Refused, match="nothing to search"):
        ask(lab.store, lab.models, ["by-clip"], text)


@pytest.mark.parametrize(("columns", "limit"), [([], 10), (["by-clip"], 0), (["by-clip"], 1001)])
def test_a_question_without_columns_or_with_a_senseless_limit_is_refused(
    lab: Lab, columns: list[str], limit: int
) -> None:
    with pytest.raises(Refused):
        ask(lab.store, lab.models, columns, QUERY, limit=limit)
    with pytest.raises(Refused):
        ask_like(lab.store, columns, "1", limit=limit)


def test_search_one_is_plain_data_or_the_columns_error(lab: Lab) -> None:
    found = search_one(lab.store, lab.models, "images", QUERY, limit=4)
    assert [hit["rank"] for hit in found] == [1, 2, 3, 4]
    assert set(found[0]) == {"rank", "id", "score", "payload"}
    assert isinstance(found[0]["score"], float)
    assert found[0]["payload"]["seed"] == found[0]["id"]
    with pytest.raises(CollectionNotFound):
        search_one(lab.store, lab.models, "vanished", QUERY)
    with pytest.raises(CollectionNotFound):
        search_like(lab.store, "vanished", "5")


def test_a_point_without_a_finite_score_does_not_rank_first(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lab.store.search

    def poisoned(name: str, vector: Any, **options: Any) -> list[Hit]:
        return [Hit(999, float("nan"), {}), *real(name, vector, **options)]

    monkeypatch.setattr(lab.store, "search", poisoned)
    (column,) = ask(lab.store, lab.models, ["by-clip"], QUERY, limit=3).columns
    assert column.answers[0].rank == 1
    assert 999 not in {answer.id for answer in column.answers}
    assert column.note.startswith("1 point without a finite score")


def test_pictures_like_one_are_found_by_the_vector_that_each_collection_has_of_it(lab: Lab) -> None:
    comparison = ask_like(lab.store, ["images", "by-siglip"], "5", limit=6)
    assert errors(comparison) == [None, None]
    for column in comparison.columns:
        (point,) = lab.store.retrieve(column.asked, [5], vectors=True)
        assert point.vector is not None
        nearest = [hit.id for hit in lab.store.search(column.asked, point.vector, limit=7)]
        assert nearest[0] == 5
        assert [answer.id for answer in column.answers] == nearest[1:]
        assert [answer.rank for answer in column.answers] == [1, 2, 3, 4, 5, 6]
    assert comparison.columns[1].agreement is not None


def test_the_picture_itself_is_left_out_even_where_a_filter_excludes_it(lab: Lab) -> None:
    (column,) = ask_like(lab.store, ["by-clip"], "5", limit=50, where={"even": [True]}).columns
    assert len(column.answers) == PICTURES // 2
    (column,) = ask_like(lab.store, ["by-clip"], "5", limit=50).columns
    assert len(column.answers) == PICTURES - 1


def test_a_picture_that_one_collection_lacks_is_that_columns_error(lab: Lab) -> None:
    lab.fill("small", CLIP, ["1", "2"])
    try:
        comparison = ask_like(lab.store, ["small", "by-clip"], "9")
    finally:
        lab.store.drop("small")
    assert errors(comparison) == [NotFound, None]


def test_a_picture_by_another_model_in_a_mixed_collection_is_not_compared(lab: Lab) -> None:
    lab.fill("mixed", CLIP, ["1", "2", "3"])
    vector = np.ones(lab.models.get(CLIP).card.dimension, dtype=np.float32)
    lab.store.upsert("mixed", [Point(1, vector, Provenance("1", "", "", "other", "", "").as_payload())])
    try:
        assert errors(ask_like(lab.store, ["mixed"], "1")) == [FingerprintMismatch]
        assert errors(ask_like(lab.store, ["mixed"], "2")) == [None]
    finally:
        lab.store.drop("mixed")


def test_no_chosen_picture_is_refused(lab: Lab) -> None:
    with pytest.raises(Refused, match="No picture"):
        ask_like(lab.store, ["by-clip"], "")
