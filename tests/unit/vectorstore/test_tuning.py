"""What is asked of a new collection's index and quantization: over the former's, within ranges, and said to people."""

from typing import Any

import pytest

from console_core.vectorstore.tuning import (
    AS_FORMER,
    OF_QDRANT,
    USUAL,
    Tuning,
    index_text,
    lacking,
    not_in_force,
    proposed,
    quantization_text,
    settings_of,
)
from console_core.vectorstore.types import CollectionInfo, StoreInfo

INDEX, INT8 = {"m": 32, "ef_construct": 200, "on_disk": True}, {"type": "int8", "quantile": 0.95}


@pytest.mark.parametrize(
    ("tuning", "index", "quantization"),
    [
        (AS_FORMER, INDEX, INT8),
        (Tuning({"m": 16}), {**INDEX, "m": 16}, INT8),
        (Tuning(quantization={}), INDEX, {}),
        (USUAL, {**INDEX, "m": 16, "ef_construct": 100}, {"type": "int8", "quantile": 0.99, "always_ram": True}),
    ],
)
def test_what_is_not_asked_for_stays_as_in_the_former_collection(
    tuning: Tuning, index: dict[str, Any], quantization: dict[str, Any]
) -> None:
    assert tuning.over(INDEX, INT8) == (index, quantization)
    assert tuning.as_former is (tuning == AS_FORMER)


@pytest.mark.parametrize(
    ("tuning", "names"),
    [
        (Tuning({"m": 1}), "m = 1 is not between 2 and 100"),
        (Tuning({"ef_construct": 1001}), "ef_construct = 1001 is not between 4 and 1,000"),
        (Tuning(quantization={"type": "int8", "quantile": 0.4}), "quantile of 0.4"),
        (Tuning(quantization={"type": "int3"}), '"int3" is not a quantization'),
    ],
)
def test_a_value_out_of_range_is_named_with_the_range(tuning: Tuning, names: str) -> None:
    (problem,) = tuning.problems()
    assert names in problem


def test_the_proposed_set_and_no_quantization_are_within_every_range() -> None:
    assert not list(USUAL.problems())
    assert not list(Tuning({"m": 100, "ef_construct": 4}, {}).problems())


def test_people_read_an_index_and_a_quantization_as_words() -> None:
    assert index_text(INDEX) == "HNSW, m 32, ef_construct 200, on_disk on"
    assert index_text({}) == "none"
    assert quantization_text(USUAL.quantization or {}) == "INT8, quantile 0.99, always in memory"
    assert quantization_text({"type": "int8", "always_ram": False}) == "INT8"
    assert quantization_text({}) == "none"


def test_a_switch_that_is_off_is_the_same_as_one_that_is_not_there() -> None:
    assert lacking({"m": 16, "always_ram": False}, {"m": 16}) == {}
    assert lacking({"m": 16, "always_ram": True}, {"m": 8}) == {"m": 16, "always_ram": True}


def test_a_store_only_notes_what_it_does_not_have() -> None:
    index, quantization = USUAL.over({}, {})

    def noted(**has: Any) -> list[str]:
        return not_in_force(StoreInfo("a store", "here", "1", **has), index, quantization, 768)

    assert noted(quantizations=OF_QDRANT) == []
    assert noted(indexed_up_to=4000, quantizations=("float16",)) == ["INT8, quantile 0.99, always in memory"]
    assert noted(indexed_up_to=512, quantizations=OF_QDRANT) == ["HNSW, m 16, ef_construct 100"]
    assert len(noted(indexed_up_to=0)) == 2


def test_int8_is_proposed_but_to_a_store_that_quantizes_in_other_ways_only() -> None:
    assert proposed(StoreInfo("a store", "here", "1", quantizations=OF_QDRANT)) == USUAL
    assert proposed(StoreInfo("a store", "here", "1", indexed_up_to=0)) == USUAL
    assert proposed(StoreInfo("a store", "here", "1", quantizations=("float16",))) == Tuning(USUAL.index, {})


def test_what_a_collection_was_made_with_counts_before_what_is_in_force() -> None:
    info = CollectionInfo("images", 8, "cosine", 0, "green", None, (), {"m": 2, "ef_construct": 4}, {}, ())
    assert settings_of(info) == ({"m": 2, "ef_construct": 4}, {})
    noted = CollectionInfo(
        *("images", 8, "cosine", 0, "green", None, (), {"m": 2, "ef_construct": 4}, {}, ()),
        wished_index={"m": 1},
        wished_quantization=INT8,
    )
    assert settings_of(noted) == ({"m": 1, "ef_construct": 4}, INT8)
