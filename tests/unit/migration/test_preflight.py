"""Each thing that a preflight finds, by its code, on a real workspace."""

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console_core.catalog.types import Slice
from console_core.commands import command
from console_core.console import Console
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.preprocessing import Mode
from console_core.embedding.registry import ModelCards
from console_core.engine.shape import Shape
from console_core.errors import StoreReadOnly
from console_core.migration.findings import Preflight, Request, Severity
from console_core.migration.preflight import Parts, preflight
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Point, VectorStore
from tests.conftest import OPERATOR, PICTURES, finish, migrate

USUAL = Request("images", "demo-siglip")


def found(console: Console, request: Request = USUAL, **parts: Any) -> Preflight:
    return preflight(replace(console.preflight_parts(), **parts), request)


def codes(outcome: Preflight, severity: Severity) -> set[str]:
    return {finding.code for finding in outcome.findings if finding.severity is severity}


def said(outcome: Preflight, code: str) -> str:
    (finding,) = [finding for finding in outcome.findings if finding.code == code]
    return f"{finding.message} {finding.remedy}"


def blocks(outcome: Preflight, code: str) -> str:
    """This one thing blocks, and there is no plan."""
    assert codes(outcome, Severity.BLOCK) == {code}
    assert outcome.blocked
    assert outcome.plan is None
    return said(outcome, code)


def test_nothing_in_the_way_gives_a_plan_with_exact_counts_and_an_estimate(console: Console) -> None:
    outcome = found(console)
    assert not outcome.blocked
    assert codes(outcome, Severity.WARN) == set()
    assert codes(outcome, Severity.INFO) == {"dimension", "device", "room", "parity"}
    assert (outcome.selected, outcome.source_points, outcome.target) == (PICTURES, PICTURES, "images__demo-siglip")
    assert outcome.plan is not None
    assert (outcome.plan.alias, outcome.plan.source) == ("images", "images__demo-clip")
    assert outcome.plan.fingerprint == console.models.get("demo-siglip").fingerprint.digest
    assert (outcome.plan.dimension, outcome.plan.fills) == (192, False)
    assert outcome.estimate is not None
    low, high = outcome.estimate.seconds
    assert 0 < low < high
    assert outcome.estimate.bytes >= 4 * 192 * PICTURES
    json = outcome.as_json()
    counts = {"selected": PICTURES, "to_embed": PICTURES, "source_points": PICTURES}
    assert (json["blocked"], json["counts"]) == (False, counts)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")  # SQLite's shared memory notes its readers
    }


@pytest.mark.parametrize("request_", [USUAL, Request("images", "demo-clip"), Request("nowhere", "demo-siglip")])
def test_a_preflight_writes_nothing(console: Console, request_: Request) -> None:
    console.models.get("demo-siglip")
    before = digests(console.settings.workspace)
    found(console, request_)
    assert digests(console.settings.workspace) == before


def test_a_preflight_is_given_a_store_that_refuses_to_be_written(console: Console) -> None:
    store = console.preflight_parts().store
    assert isinstance(store, ReadOnlyStore)
    with pytest.raises(StoreReadOnly, match="dry run"):
        store.upsert("images", [])
    with pytest.raises(StoreReadOnly):
        store.create("new", CollectionSpec(4))
    with pytest.raises(StoreReadOnly):
        store.set_alias("images", "images__demo-clip", expected=None)


def test_a_source_that_does_not_exist_is_named_with_those_that_do(console: Console) -> None:
    assert "Choose one of: images, images__demo-clip" in blocks(
        found(console, Request("photos", "demo-siglip")), "source-missing"
    )


def test_a_collection_behind_an_alias_is_migrated_through_the_alias(console: Console) -> None:
    text = blocks(found(console, Request("images__demo-clip", "demo-siglip")), "alias-instead")
    assert "served through the alias images" in text


def test_a_collection_that_is_searched_by_its_own_name_needs_an_alias_first(console: Console) -> None:
    copy(console, "pictures")
    text = blocks(found(console, Request("pictures", "demo-siglip")), "no-alias")
    assert "Introduce an alias" in text
    command(console, OPERATOR, "introduce_alias", alias="photos", collection="pictures")
    assert not found(console, Request("photos", "demo-siglip")).blocked


def copy(console: Console, name: str, stamped: bool = True, provenance: bool = True) -> None:
    """A copy of the live collection."""
    live = console.store.describe("images")
    console.store.create(name, CollectionSpec(live.dimension, stamp=live.stamp if stamped else None))
    points = console.store.scroll("images", vectors=True)
    console.store.upsert(name, [point if provenance else Point(point.id, point.vector, {}) for point in points])


def test_a_source_that_does_not_say_its_model_is_a_warning(console: Console) -> None:
    copy(console, "unknown", stamped=False, provenance=False)
    console.store.set_alias("old", "unknown", expected=None)
    outcome = found(console, Request("old", "demo-siglip"))
    assert codes(outcome, Severity.WARN) == {"source-unknown"}
    assert "Stamp it" in said(outcome, "source-unknown")
    assert outcome.plan is not None


@pytest.mark.parametrize("model", ["no-such-model", "ViT-L-14/laion2b_s34b_b79k", "local-dir:/nowhere"])
def test_a_model_that_cannot_be_had_blocks_and_the_rest_is_still_counted(console: Console, model: str) -> None:
    outcome = found(console, Request("images", model))
    blocks(outcome, "model")
    assert outcome.selected == PICTURES


def test_a_model_without_a_text_tower_blocks_unless_people_search_by_picture_only(console: Console) -> None:
    cards = [replace(console.models.cards.get("demo-siglip"), has_text=False), console.models.cards.get("demo-clip")]
    models = LoadedModels(ModelCards(cards))
    assert "--image-only" in blocks(found(console, models=models), "no-text-tower")
    outcome = found(console, replace(USUAL, text_search=False), models=models)
    assert not outcome.blocked
    assert "image-only" in codes(outcome, Severity.INFO)


def test_a_slice_without_pictures_blocks(console: Console) -> None:
    part = Slice({"user_id": ("nobody",)})
    assert "Widen the slice" in blocks(found(console, replace(USUAL, part=part)), "nothing-selected")


def test_a_slice_is_a_warning_with_both_numbers(console: Console) -> None:
    outcome = found(console, replace(USUAL, part=Slice({"user_id": ("user-1",)})))
    assert codes(outcome, Severity.WARN) == {"slice"}
    assert f"Only 16 of {PICTURES} pictures" in said(outcome, "slice")
    assert outcome.selected == 16
    assert outcome.plan is not None
    assert outcome.plan.part.filters == {"user_id": ("user-1",)}


def test_a_slice_by_a_facet_that_the_catalog_does_not_have_blocks(console: Console) -> None:
    assert "colour" in blocks(found(console, replace(USUAL, part=Slice({"colour": ("red",)}))), "catalog")


def test_a_catalog_that_can_be_counted_but_not_read_blocks(console: Console) -> None:
    with closing(sqlite3.connect(console.settings.workspace / "catalog.db")) as connection:
        connection.execute("ALTER TABLE images RENAME COLUMN caption TO words")
    assert "caption" in blocks(found(console), "catalog")


def test_a_target_that_an_unfinished_run_writes_to_blocks_until_that_is_cancelled(console: Console) -> None:
    run = command(console, OPERATOR, "start_migration", request=USUAL).run
    assert run.id in blocks(found(console), "target-busy")
    command(console, OPERATOR, "cancel", run=run.id)
    assert not found(console).blocked


def test_a_target_of_another_model_blocks(console: Console) -> None:
    copy(console, "other")
    blocks(found(console, replace(USUAL, target="other")), "target-exists")


def test_a_target_that_is_an_alias_blocks(console: Console) -> None:
    blocks(found(console, replace(USUAL, target="images")), "target-alias")


def test_a_target_of_this_model_is_continued_and_only_its_gaps_are_filled(console: Console) -> None:
    build = migrate(console)
    outcome = found(console, replace(USUAL, target=build.target))
    assert codes(outcome, Severity.INFO) >= {"target-continued"}
    assert f"{PICTURES} points" in said(outcome, "target-continued")
    assert outcome.plan is not None
    assert outcome.plan.fills
    assert (outcome.selected, outcome.to_embed) == (PICTURES, 0)


def test_the_gaps_of_a_continued_target_are_counted_exactly_and_its_estimate_is_for_them(console: Console) -> None:
    build = migrate(console)
    with closing(sqlite3.connect(console.settings.workspace / "catalog.db")) as connection:
        for number in (49, 50):  # two that have no point, and one whose point is of an older row
            connection.execute("INSERT INTO images VALUES (?, 'user-1', NULL, '0001.jpg', 'new')", (number,))
        connection.execute("UPDATE images SET caption = 'another one' WHERE id = 7")
        connection.commit()
    whole = found(console, replace(USUAL, target="another"))
    gaps = found(console, replace(USUAL, target=build.target))
    assert (gaps.selected, gaps.to_embed, whole.to_embed) == (PICTURES + 2, 3, PICTURES + 2)
    assert f"3 of {PICTURES + 2} pictures" in said(gaps, "target-continued")
    assert gaps.as_json()["counts"]["to_embed"] == 3
    assert gaps.estimate is not None
    assert whole.estimate is not None
    assert gaps.estimate.bytes * (PICTURES + 2) == whole.estimate.bytes * 3


def test_filling_what_is_served_now_is_a_warning(console: Console) -> None:
    outcome = found(console, Request("images", "demo-clip", target="images__demo-clip"))
    assert codes(outcome, Severity.WARN) == {"target-live"}
    assert "images__demo-clip is live" in said(outcome, "target-live")
    assert outcome.to_embed == 0


def test_a_model_that_built_for_this_alias_before_is_a_warning_with_the_collection_to_take_instead(
    console: Console,
) -> None:
    assert "already-built" not in codes(found(console), Severity.WARN)
    migrate(console)
    outcome = found(console)
    assert codes(outcome, Severity.WARN) == {"already-built"}
    assert f"images__demo-siglip was made by this model already ({PICTURES} points)" in said(outcome, "already-built")
    assert "already-built" not in codes(found(console, replace(USUAL, target="images__demo-siglip")), Severity.WARN)
    console.store.set_alias("photos", "images__demo-clip", expected=None)
    assert "already-built" not in codes(found(console, Request("photos", "demo-siglip")), Severity.WARN)


def test_a_target_whose_points_an_application_wrote_is_not_written_over(console: Console) -> None:
    copy(console, "theirs", provenance=False)
    text = blocks(found(console, Request("images", "demo-clip", target="theirs")), "target-foreign")
    assert "replace their payload" in text


@pytest.mark.parametrize("name", ["../escape", "a b", "a/b", "..", "x" * 201, 'quo"te'])
def test_a_target_name_that_a_store_cannot_bear_blocks(console: Console, name: str) -> None:
    blocks(found(console, replace(USUAL, target=name)), "target-name")


def test_a_target_that_was_built_in_another_mode_is_a_warning_that_says_both(console: Console) -> None:
    command(console, OPERATOR, "start_migration", request=replace(USUAL, mode=Mode.TURBO))
    (run,) = console.ledger.runs(kinds=("reembed",))
    finish(console, run)
    outcome = found(console, replace(USUAL, target=run.target))
    assert codes(outcome, Severity.WARN) == {"target-mode"}
    text = said(outcome, "target-mode")
    assert "built in turbo mode" in text
    assert "embedded in fast mode" in text
    assert outcome.plan is not None
    assert outcome.plan.mode is Mode.FAST
    alike = found(console, replace(USUAL, target=run.target, mode=Mode.TURBO))
    assert codes(alike, Severity.WARN) == set()


def test_the_mode_is_part_of_the_plan_and_of_what_is_told(console: Console) -> None:
    for mode in Mode:
        outcome = found(console, replace(USUAL, mode=mode))
        assert outcome.plan is not None
        assert (outcome.plan.mode, outcome.as_json()["mode"]) == (mode, mode.value)
        assert ("parity" in codes(outcome, Severity.INFO)) == (mode is not Mode.EXACT)


def test_a_second_migration_to_the_same_model_gets_a_name_of_its_own(console: Console) -> None:
    migrate(console)
    assert found(console).target == "images__demo-siglip-2"


def test_migrating_to_the_model_that_is_live_is_a_warning(console: Console) -> None:
    assert codes(found(console, Request("images", "demo-clip")), Severity.WARN) == {"same-model"}


def test_a_batch_without_pictures_blocks(console: Console) -> None:
    blocks(found(console, replace(USUAL, batch_size=0)), "batch-size")


def break_pictures(console: Console, numbers: Iterable[int]) -> None:
    for number in numbers:
        (console.settings.image_roots[0] / f"{number:04}.jpg").write_bytes(b"<html>not found</html>")


def test_some_pictures_that_cannot_be_read_are_a_warning(console: Console) -> None:
    break_pictures(console, [2, 5, 7])
    outcome = found(console)
    assert codes(outcome, Severity.WARN) == {"pictures"}
    assert f"3 of {PICTURES} pictures tried" in said(outcome, "pictures")
    assert outcome.plan is not None


def test_not_one_readable_picture_blocks_and_says_why_the_first_is_not(console: Console) -> None:
    break_pictures(console, range(1, PICTURES + 1))
    assert f"None of {PICTURES} pictures tried can be read: " in blocks(found(console), "pictures")


class Described(ReadOnlyStore):
    """A store that describes the live collection otherwise."""

    def __init__(self, store: VectorStore, **otherwise: Any) -> None:
        super().__init__(store)
        self._otherwise = otherwise

    def describe(self, name: str) -> CollectionInfo:
        info = super().describe(name)
        return replace(info, **self._otherwise) if name == "images" else info


def test_a_source_of_several_vectors_blocks(console: Console) -> None:
    store = Described(console.store, problem="It has 2 named vectors.")
    assert "one vector a point" in blocks(found(console, store=store), "source-shape")


def test_another_distance_is_a_warning_and_the_target_measures_cosine(console: Console) -> None:
    console.store.create("far", CollectionSpec(128, distance="euclid"))
    console.store.set_alias("distant", "far", expected=None)
    outcome = found(console, Request("distant", "demo-siglip"))
    assert "distance" in codes(outcome, Severity.WARN)
    assert outcome.plan is not None
    assert outcome.plan.distance == "cosine"


def test_index_and_quantization_are_taken_over_into_the_plan(console: Console) -> None:
    store = Described(console.store, index={"m": 32}, quantization={"type": "int8"})
    outcome = found(console, store=store)
    assert "settings-kept" in codes(outcome, Severity.INFO)
    assert outcome.plan is not None
    assert (outcome.plan.index, outcome.plan.quantization) == ({"m": 32}, {"type": "int8"})


def test_more_points_than_the_embedded_store_is_good_for_block(console: Console) -> None:
    with closing(sqlite3.connect(console.settings.workspace / "catalog.db", isolation_level=None)) as connection:
        connection.execute(
            "WITH RECURSIVE more(n) AS (SELECT 49 UNION ALL SELECT n + 1 FROM more WHERE n < 20001) "
            "INSERT INTO images SELECT n, 'user-1', NULL, '0001.jpg', '' FROM more"
        )
    text = blocks(found(console), "capacity")
    assert "20,001 points do not fit" in text
    assert "embedding-console store move --to edge:qdrant-edge --set" in text
    assert "Connect a Qdrant server" in text


def test_too_little_disk_for_the_target_blocks(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def nearly_full(path: Path) -> SimpleNamespace:
        asked.append(path)
        return SimpleNamespace(free=1000)

    monkeypatch.setattr(shutil, "disk_usage", nearly_full)
    outcome = found(console)
    assert codes(outcome, Severity.BLOCK) == {"disk", "disk-ledger"}
    assert "1 kB are free" in said(outcome, "disk")
    assert asked == [console.settings.workspace / "qdrant", console.settings.workspace], "both disks count"


def test_memory_is_stated_for_the_largest_batch_that_may_be_found(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = found(console).estimate
    embedder = console.models.get("demo-siglip")
    monkeypatch.setattr(TorchEmbedder, "largest_batch", 2 * embedder.batch)
    larger = found(console)
    assert usual is not None
    assert larger.estimate is not None
    assert larger.plan is not None
    shape = Shape.of([embedder])
    assert larger.estimate.memory == larger.plan.memory == usual.memory + shape.slabs * shape.slab_bytes


def test_several_things_that_block_are_all_said_at_once(console: Console) -> None:
    outcome = found(console, Request("nowhere", "no-such-model", part=Slice(keys=())))
    assert codes(outcome, Severity.BLOCK) == {"source-missing", "model", "nothing-selected"}


def test_the_parts_of_a_preflight_are_those_of_the_console(console: Console) -> None:
    parts: Parts = console.preflight_parts()
    assert (parts.catalog, parts.models, parts.ledger) == (console.catalog, console.models, console.ledger)
