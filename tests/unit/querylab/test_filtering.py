"""A filter as people write it, and what is offered for it: from payloads, within bounds."""

from collections.abc import Iterator

import numpy as np
import pytest

from console_core.querylab.filtering import MOST_VALUES, meanings, offered, where_of
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Payload, Point, VectorStore


@pytest.fixture(name="store")
def _store(tmp_path: object) -> Iterator[VectorStore]:
    store = open_store(StoreSettings(f"local:{tmp_path}/qdrant"))
    yield store
    store.close()


def fill(store: VectorStore, name: str, payloads: list[Payload]) -> None:
    store.create(name, CollectionSpec(dimension=2))
    vector = np.array([1.0, 0.0], dtype=np.float32)
    store.upsert(name, [Point(number, vector, payload) for number, payload in enumerate(payloads)])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("cat", ["cat"]),
        ("7", ["7", 7]),
        ("1.5", ["1.5", 1.5]),
        ("true", ["true", True]),
        ("", [""]),
        ("007", ["007"]),
        ('"cat"', ['"cat"']),
        ("null", ["null"]),
        ("NaN", ["NaN"]),
        ("1e999", ["1e999"]),
        (str(2**63), [str(2**63)]),
        ("[" * 100_000, ["[" * 100_000]),
    ],
)
def test_what_reads_like_a_number_or_a_truth_value_stands_for_that_too(text: str, meant: list[object]) -> None:
    found = meanings(text)
    assert (found, [type(one) for one in found]) == (meant, [type(one) for one in meant])


def test_every_field_keeps_all_of_its_values() -> None:
    assert where_of({"namespace": ("a", "b"), "size": ("3",)}) == {"namespace": ["a", "b"], "size": ["3", 3]}


def test_the_namespace_comes_first_and_then_what_points_share_with_its_commonest_values(store: VectorStore) -> None:
    some: list[Payload] = [{"label": "cat", "namespace": "shop", "_console": {"key": "1"}}]
    some += [{"label": ["dog", "cat"], "seen": True, "nothing": None, "inner": {"a": 1}, "long": "x" * 500}]
    fill(store, "one", some)
    fill(store, "two", [{"label": "dog"}, {"label": "dog"}, {"seen": 3}])
    found = offered(store, ["one", "vanished", "two"])
    assert found == {"namespace": ["shop"], "label": ["dog", "cat"], "seen": found["seen"]}
    assert set(found["seen"]) == {"true", "3"}
    assert list(found) == ["namespace", "label", "seen"]


def test_no_more_points_and_values_are_read_and_offered_than_said(store: VectorStore) -> None:
    fill(store, "many", [{"number": number, f"field {number}": "x"} for number in range(300)])
    assert len(offered(store, ["many"])["number"]) == MOST_VALUES
    assert sum(map(len, offered(store, ["many"], read=10).values())) == 20
