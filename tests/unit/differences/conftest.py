"""A small world of real parts: a SQLite catalog, picture files, an embedded store with one collection, a ledger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from tests.unit.differences.world import World

ROWS = 40


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(StoreSettings(url=f"local:{tmp_path / 'qdrant'}"))
    built = World.build(tmp_path, store, ROWS, own=(7, 8), files=20)
    try:
        yield built
    finally:
        built.close()
        store.close()
