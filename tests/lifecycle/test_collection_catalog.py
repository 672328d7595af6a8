"""A collection's own payload as the catalog of its migration: what an alias leads to changes, and nothing is lost."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from console_core import settings
from console_core.catalog.opening import open_catalog
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.console.listed_points import StorePoints
from console_core.errors import CatalogUnavailable, Refused
from console_core.migration.findings import Request
from console_core.migration.ingesting import Wish
from console_core.migration.preflight import preflight
from console_core.rollout.records import Move
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import CollectionSpec, Point
from tests.conftest import CONSOLE_TOML, OPERATOR, PICTURES, fill, finish, make_workspace, migrate

SERVED, TARGET = "images__demo-clip", "images__demo-siglip"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """A workspace whose application keeps what it knows of pictures on their points only."""
    folder = make_workspace(tmp_path / "workspace")
    file = folder / settings.FILE
    file.write_text(CONSOLE_TOML.replace('payload = ["user_id", "caption"]', 'payload = ["user_id", "original_path"]'))
    before = open_console(settings.read(folder, {}), owner_name="a test")
    fill(before, SERVED, "demo-clip", alias="images")
    points = list(before.store.scroll(SERVED, vectors=True))
    without = [Point(p.id, p.vector, {n: v for n, v in p.payload.items() if n != "_console"}) for p in points]
    before.store.upsert(SERVED, [replace(p, payload={**p.payload, "tags": [p.id, {"a": None}]}) for p in without])
    before.close()
    (folder / "catalog.db").unlink()
    lines = CONSOLE_TOML.split("[catalog]")[0], CONSOLE_TOML.split("[images]")[1]
    catalog = 'kind = "collection"\nlocation = "images"\npaths = ["original_path"]\ntenant = "user_id"\n'
    file.write_text(f"{lines[0]}[catalog]\n{catalog}[images]{lines[1]}")
    opened = open_console(settings.read(folder, {}), owner_name="a test")
    yield opened
    opened.close()


def verified(console: Console, collection: str = TARGET) -> Run:
    return finish(console, command(console, OPERATOR, "verify", collection=collection))


def in_step(console: Console, collection: str) -> Run | None:
    """Bring a collection in step, where it is not; the run that did."""
    console.keeping.keep_in_step()
    run = command(console, OPERATOR, "catch_up", collection=collection)
    return finish(console, run) if isinstance(run, Run) else None


def ids(console: Console, collection: str) -> set[int | str]:
    return {point.id for point in console.store.scroll(collection)}


def test_a_migration_by_its_own_payload_lives_from_plan_to_cut_over_and_back(console: Console) -> None:
    before = list(console.catalog.rows())
    assert [row.key for row in before] == [str(number) for number in range(1, PICTURES + 1)]
    found = preflight(console.preflight_parts(), Request("images", "demo-siglip"))
    assert "catalog-moves" in {finding.code for finding in found.findings}
    assert not found.blocked
    build = migrate(console)
    assert (build.state, build.counts.done) == (RunState.SUCCEEDED, PICTURES)
    run = verified(console)
    assert run.result is not None
    assert run.result["verdict"] == "green", run.result["checks"]

    command(console, OPERATOR, "cut_over", alias="images", to=TARGET)
    assert console.catalog.info().details["collection"] == TARGET
    assert list(console.catalog.rows()) == before, "rows are what they were, to their payload and revision"
    assert next(iter(before)).payload["tags"] == [1, {"a": None}]
    for collection in (TARGET, SERVED):
        in_step(console, collection)
        assert ids(console, collection) == set(range(1, PICTURES + 1))

    command(console, OPERATOR, "roll_back", alias="images")
    assert list(console.catalog.rows()) == before
    assert ids(console, TARGET) == ids(console, SERVED)


def test_what_an_application_adds_after_the_cut_over_reaches_the_former_collection(console: Console) -> None:
    migrate(console)
    verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=TARGET)
    in_step(console, SERVED)
    [point] = console.store.retrieve("images", [5], vectors=True)
    payload = {name: value for name, value in point.payload.items() if name != "_console"}
    console.store.upsert("images", [Point(1000, point.vector, payload)])
    in_step(console, SERVED)
    assert 1000 in ids(console, SERVED)
    in_step(console, TARGET)
    assert 1000 in ids(console, TARGET), "the collection that is its own catalog loses nothing"
    moved = command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
    while isinstance(moved, Run):
        finish(console, moved)
        moved = command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
    assert isinstance(moved, Move)
    assert "1000" in {row.key for row in console.catalog.rows()}


def test_what_is_ingested_into_the_collection_that_is_the_catalog_is_one_picture_each(console: Console) -> None:
    root = console.settings.image_roots[0]
    (root / "new").mkdir()
    for number in (1, 2):
        shutil.copyfile(root / f"{number:04}.jpg", root / "new" / f"{number}.jpg")
    migrate(console)
    finish(console, command(console, OPERATOR, "ingest", wish=Wish(root / "new", "images")))
    assert console.catalog_of(SERVED).count() == PICTURES + 2
    in_step(console, TARGET)
    assert console.store.count(TARGET) == console.store.count(SERVED) == PICTURES + 2
    result = verified(console).result or {}
    assert result["verdict"] == "green", result["checks"]
    command(console, OPERATOR, "cut_over", alias="images", to=TARGET)
    assert console.catalog_of(TARGET).count() == PICTURES + 2
    assert in_step(console, TARGET) is None
    in_step(console, SERVED)
    assert ids(console, SERVED) == ids(console, TARGET)


def test_pictures_that_failed_are_on_no_list_after_the_cut_over_and_come_back_with_the_rollback(
    console: Console,
) -> None:
    broken = (3, 4, 5)
    files = [console.settings.image_roots[0] / f"{number:04}.jpg" for number in broken]
    contents = [file.read_bytes() for file in files]
    for file in files:
        file.unlink()
    build = migrate(console)
    assert dict(build.counts.failed) == {"missing": 3}
    verified(console)
    with pytest.raises(Refused, match="3"):
        command(console, OPERATOR, "cut_over", alias="images", to=TARGET)
    command(console, OPERATOR, "cut_over", alias="images", to=TARGET, accept_losses=True)
    assert console.catalog.count() == PICTURES - 3
    for _ in range(2):
        in_step(console, SERVED)
        assert ids(console, SERVED) == set(range(1, PICTURES + 1)), "the way back keeps what failed"
    command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
    assert console.catalog.count() == PICTURES
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    retried = finish(console, command(console, OPERATOR, "retry", collection=TARGET, keys=[], kind=""))
    assert retried.counts.done == 3
    assert ids(console, TARGET) == set(range(1, PICTURES + 1))


def test_a_catalog_that_is_pinned_to_the_collection_that_is_left_is_not_migrated(console: Console) -> None:
    file = console.settings.workspace / settings.FILE
    file.write_text(file.read_text().replace('location = "images"', f'location = "{SERVED}"'))
    store = console.store
    console.close()
    again = open_console(settings.read(console.settings.workspace, {}), owner_name="a test")
    try:
        assert again.store is not store
        with pytest.raises(Refused, match=f"The catalog is {SERVED}, which stays with {SERVED} at the cut-over"):
            migrate(again)
    finally:
        again.close()


def test_an_alias_that_leads_nowhere_is_told_and_takes_nothing_for_deleted(console: Console) -> None:
    migrate(console)
    renamed = replace(console.settings.catalog, location="photos")
    console.catalog = open_catalog(renamed, points=StorePoints(console.store))
    with pytest.raises(CatalogUnavailable, match="The catalog is the collection photos, and there is none"):
        list(console.catalog.rows())
    with pytest.raises(CatalogUnavailable):
        command(console, OPERATOR, "catch_up", collection=TARGET)
    assert len(ids(console, TARGET)) == PICTURES


def test_a_pass_that_is_under_way_stays_with_the_collection_that_it_began_with(console: Console) -> None:
    rows = console.catalog.rows()
    first = next(rows)
    vector = np.ones(console.store.describe(SERVED).dimension, dtype=np.float32)
    console.store.create("other", CollectionSpec(len(vector)))
    console.store.upsert("other", [Point(9000, vector, {"original_path": "x.jpg"})])
    console.store.set_alias("images", "other", expected=SERVED)
    assert [first.key, *(row.key for row in rows)] == [str(number) for number in range(1, PICTURES + 1)]
    assert [row.key for row in console.catalog.rows()] == ["9000"]
    assert console.catalog.count() == 1


def test_the_collection_that_is_the_catalog_is_not_retired(console: Console) -> None:
    console.store.create("pictures", CollectionSpec(2))
    console.store.upsert("pictures", [Point(1, np.ones(2, dtype=np.float32), {"original_path": "0001.jpg"})])
    configured = replace(console.settings.catalog, location="pictures")
    console.settings = replace(console.settings, catalog=configured)
    console.catalog = open_catalog(configured, points=StorePoints(console.store))
    with pytest.raises(Refused, match="pictures is the catalog: which pictures there are is told by its points alone"):
        command(console, OPERATOR, "retire", collection="pictures", typed="pictures", holding_days=0)
    assert console.store.count("pictures") == 1


def test_what_an_application_added_stays_where_an_alias_was_moved_back_by_another_program(console: Console) -> None:
    migrate(console)
    verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=TARGET)
    [point] = console.store.retrieve("images", [5], vectors=True)
    payload = {name: value for name, value in point.payload.items() if name != "_console"}
    console.store.upsert("images", [Point(1000, point.vector, payload)])
    console.store.set_alias("images", SERVED, expected=TARGET)
    in_step(console, TARGET)
    assert 1000 in ids(console, TARGET), "no list ever had it, so its absence says nothing"
