"""A PostgreSQL server whose disk is full: nothing is half written, and the load goes on once there is space."""

import os
import pwd
import shutil
from collections.abc import Iterator

import numpy as np
import pytest

from console_core.errors import StoreFull
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Point
from tests.lifecycle.small_disk import SmallDisk
from tests.postgres import Postgres

TABLESPACE = "small"
FREE = 4 * 2**20


@pytest.fixture
def small(postgres: Postgres) -> Iterator[SmallDisk]:
    """A disk of the server that can be filled up, for tables only."""
    disk = SmallDisk(postgres.folder / TABLESPACE)
    try:
        owner = (postgres.folder / "data").stat().st_uid
        if owner != os.geteuid():
            shutil.chown(disk.folder, pwd.getpwuid(owner).pw_name)
        postgres.execute(f"CREATE TABLESPACE {TABLESPACE} LOCATION '{disk.folder}'")
        yield disk
        postgres.execute(f"DROP TABLESPACE {TABLESPACE}")
    finally:
        disk.close()


def test_a_load_onto_a_full_disk_fails_whole_and_goes_on_when_there_is_space(
    postgres: Postgres, small: SmallDisk
) -> None:
    batch = [Point(i, row, {}) for i, row in enumerate(np.random.default_rng(1).normal(size=(2000, 768)))]
    with postgres.schema() as url:
        store = open_store(StoreSettings(f"{url}&options=-cdefault_tablespace%3D{TABLESPACE}", retries=2))
        store.create("images", CollectionSpec(768))
        store.defer_index("images")
        store.upsert("images", batch[:100])
        small.leave(FREE)
        with pytest.raises(StoreFull, match=r"no space left.*Free disk space"):
            store.upsert("images", batch)
        assert store.count("images") == 100
        small.leave(16 * FREE)
        assert store.upsert("images", batch) == 2000
        assert store.count("images") == 2000
        small.leave(0)
        with pytest.raises(StoreFull):
            store.restore_index("images")
        assert store.describe("images").index_deferred
        small.leave(16 * FREE)
        store.restore_index("images")
        assert store.describe("images").status == "green"
        store.close()
