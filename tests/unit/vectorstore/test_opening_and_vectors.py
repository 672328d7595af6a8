"""Which store a URL means, and what ids and vectors may be."""

import uuid
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console_core.errors import SettingsError, VectorInvalid
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.patience import Patience
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import Point
from console_core.vectorstore.vectors import canonical, successor, unit_query, unit_vectors


def test_a_folder_is_an_embedded_store(tmp_path: Path) -> None:
    store = open_store(StoreSettings(f"local:{tmp_path / 'new' / 'qdrant'}"))
    assert store.info().embedded
    assert store.size_on_disk()
    store.close()


@pytest.mark.parametrize(
    ("url", "rest", "grpc_port", "over_grpc"),
    [
        ("http://localhost:7000", "http://localhost:7000", 6334, False),
        ("http://host", "http://host:6333", 6334, False),
        ("https://host:443/qdrant/", "https://host:443/qdrant", 6334, False),
        ("http://[::1]:6333", "http://[::1]:6333", 6334, False),
        ("grpc://host", "http://host:6333", 6334, True),
        ("grpcs://host:7334", "https://host:7333", 7334, True),
    ],
)
def test_a_url_is_a_server_that_need_not_be_up(url: str, rest: str, grpc_port: int, over_grpc: bool) -> None:
    store = open_store(StoreSettings(url))
    assert isinstance(store, QdrantServer)
    assert store.size_on_disk() is None
    options = store._client.init_options
    assert store._client._client.rest_uri == rest  # type: ignore[attr-defined]
    assert (options["grpc_port"], options["prefer_grpc"]) == (grpc_port, over_grpc)
    store.close()


@pytest.mark.parametrize(
    "url", ["", "qdrant", "local:", "ftp://host", "http://", "http://host:port", "http://host:99999"]
)
def test_an_unknown_kind_of_store_is_refused_with_examples(url: str) -> None:
    with pytest.raises(SettingsError, match=r"http://localhost:6333"):
        open_store(StoreSettings(url))


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError, match="CONSOLE_STORE_API_KEY") as failure:
        open_store(StoreSettings("https://admin:hunter2@host:6333"))
    assert "hunter2" not in str(failure.value)


def test_an_id_is_written_in_its_canonical_form() -> None:
    shouted = "6F1A4C1E-52C9-5C0B-9F3F-2A6F0D7C4B11"
    assert canonical(shouted) == shouted.lower()
    assert canonical(shouted.replace("-", "")) == shouted.lower()
    assert canonical(np.int64(7)) == 7  # type: ignore[arg-type]


@given(st.integers(0, 2**128 - 2), st.integers(0, 2**63 - 2))
def test_nothing_fits_between_an_id_and_its_successor(uuid_number: int, integer: int) -> None:
    following = successor(str(uuid.UUID(int=uuid_number)))
    assert following is not None
    assert uuid.UUID(str(following)).int == uuid_number + 1
    assert successor(integer) == integer + 1


@given(st.lists(st.floats(-1e300, 1e300, allow_subnormal=False), min_size=3, max_size=3))
def test_every_finite_vector_with_a_direction_becomes_one_of_length_1(numbers: list[float]) -> None:
    row = np.array(numbers)
    if not row.any():
        with pytest.raises(VectorInvalid):
            unit_query(row, 3, "images")
        return
    unit = unit_query(row, 3, "images")
    assert unit.dtype == np.float32
    assert abs(float(np.linalg.norm(unit.astype(np.float64))) - 1) < 1e-6
    again = unit_vectors([Point(1, unit, {})], 3, "images")[0]
    np.testing.assert_allclose(again, unit, rtol=0, atol=1e-7)


def test_patience_ends_after_its_retries_its_budget_or_too_long_a_wish() -> None:
    patience = Patience(retries=2, budget=60, first_pause=0.001)
    assert [patience.pause(None) for _ in range(3)] == [True, True, False]
    assert not Patience(retries=5, budget=0.0005, first_pause=0.01).pause(None)
    assert not Patience(retries=5, budget=3600, first_pause=0.001).pause(31.0)
