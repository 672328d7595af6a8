"""A collection that is the catalog, and that pictures are ingested into: each is listed once, in one order."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from console_core.catalog.collection import CollectionCatalog
from console_core.catalog.intake import Intake, Places
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.joined import JoinedCatalog
from console_core.catalog.types import Slice
from console_core.console.listed_points import StorePoints
from console_core.settings import CatalogSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, Point
from tests.unit.catalog.pictures import encoded, noise

INGESTED = [f"ingest:n:new/{number}.jpg" for number in range(7)]
NUMBERS = [str(number) for number in range(1, 6)]
UUIDS = sorted(str(uuid.UUID(int=number * 7919 << 90)) for number in range(1, 6))


@pytest.fixture(name="joined")
def _joined(tmp_path: Path) -> Iterator[JoinedCatalog]:
    (tmp_path / "images" / "new").mkdir(parents=True)
    places = Places((tmp_path / "images",), tmp_path)
    made = []
    for number, key in enumerate([*NUMBERS, *UUIDS, *INGESTED]):
        payload = {"path": f"{number}.jpg", "namespace": "old"}
        if key in INGESTED:
            name = key.rpartition("/")[2]
            (tmp_path / "images" / "new" / name).write_bytes(encoded(noise()))
            payload = {"path": f"new/{name}", "namespace": "n", **Provenance(key, "r", "", "f", "run", "").as_payload()}
        made.append(Point(point_id(key), np.ones(2, dtype=np.float32), payload))
    with closing(open_store(StoreSettings(f"local:{tmp_path / 'qdrant'}"))) as store:
        store.create("pictures", CollectionSpec(2))
        store.upsert("pictures", made)
        settings = CatalogSettings(kind="collection", location="pictures", paths=("path",), facets=("namespace",))
        first = CollectionCatalog(settings, StorePoints(store), page=3)
        yield JoinedCatalog(first, IntakeCatalog([Intake("n", "folder", "new")], places))


def test_each_picture_is_listed_once_behind_whichever_key(joined: JoinedCatalog) -> None:
    keys = [row.key for row in joined.rows()]
    assert keys == [*NUMBERS, *UUIDS, *INGESTED]
    assert joined.count() == len(keys)
    for place, key in enumerate(keys, start=1):
        assert [row.key for row in joined.rows(after=key)] == keys[place:]
        assert joined.count(after=key) == len(keys) - place
    seen: list[str] = []
    while some := [row.key for row in islice(joined.rows(after=seen[-1] if seen else None), 4)]:
        seen += some
    assert seen == keys


def test_what_was_ingested_is_told_by_its_folder_and_counted_once(joined: JoinedCatalog) -> None:
    assert joined.facets() == {"namespace": {"old": len(NUMBERS + UUIDS), "n": len(INGESTED)}}
    assert [row.key for row in joined.rows(Slice({"namespace": ("n",)}))] == INGESTED
    (row,) = joined.get([INGESTED[0]])
    assert row.payload["filename"] == "0.jpg"
    assert [row.key for row in joined.rows(Slice(keys=(INGESTED[1], UUIDS[0], "3")))] == ["3", UUIDS[0], INGESTED[1]]
