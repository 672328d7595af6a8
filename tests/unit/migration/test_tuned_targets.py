"""A migration's target is indexed and quantized as the former collection, as a person asks, or as it was prepared."""

from dataclasses import replace
from typing import Any

from console_core.commands import command
from console_core.console import Console
from console_core.embedding.preprocessing import Mode
from console_core.migration.findings import Preflight, Request
from console_core.migration.plan import MigrationPlan
from console_core.migration.preflight import preflight
from console_core.vectorstore.tuning import USUAL, Settings, Tuning, settings_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.conftest import OPERATOR, PICTURES, finish

INT8 = {"type": "int8", "quantile": 0.99, "always_ram": True}
ASKED = Request("images", "demo-siglip")


def looked(console: Console, **asked: Any) -> Preflight:
    return preflight(console.preflight_parts(), replace(ASKED, **asked))


def planned(found: Preflight) -> tuple[Settings, Settings]:
    assert found.plan is not None, found.findings
    return found.plan.index, found.plan.quantization


def prepared(console: Console, name: str = "prepared", **settings: Any) -> None:
    stamp = ModelStamp("demo-siglip", console.models.get("demo-siglip").fingerprint.digest)
    console.store.create(name, CollectionSpec(192, stamp=stamp, **settings))


def test_what_was_only_noted_of_the_former_collection_is_taken_over_too(console: Console) -> None:
    live = console.store.describe("images")
    console.store.create("wished", CollectionSpec(128, stamp=live.stamp, index={"m": 8}, quantization=INT8))
    console.store.upsert("wished", list(console.store.scroll("images", vectors=True)))
    console.store.set_alias("images", "wished", expected="images__demo-clip")
    assert console.store.describe("images").quantization == {}
    found = looked(console)
    assert planned(found) == ({"m": 8}, INT8)
    assert found.has("settings-kept")
    assert planned(looked(console, tuning=Tuning({"ef_construct": 50}))) == ({"m": 8, "ef_construct": 50}, INT8)
    assert planned(looked(console, tuning=Tuning(quantization={}))) == ({"m": 8}, {})


def test_what_was_asked_for_is_in_the_plan_that_is_stored_and_in_the_collection(console: Console) -> None:
    started = command(console, OPERATOR, "start_migration", request=replace(ASKED, tuning=USUAL))
    stored = MigrationPlan.from_json(console.ledger.get(started.run.id).spec)
    assert (stored.index, stored.quantization) == (USUAL.index, USUAL.quantization)
    finish(console, started.run)
    assert settings_of(console.store.describe(started.run.target)) == (USUAL.index, USUAL.quantization)


def test_a_plan_from_before_there_were_settings_to_choose_is_read_as_one_without_any() -> None:
    plain = MigrationPlan("images", "old", "demo-siglip", "0" * 16, "new", 192).as_json()
    old = {name: value for name, value in plain.items() if name not in ("index", "quantization")}
    assert MigrationPlan.from_json(old) == MigrationPlan.from_json(plain)


def test_an_empty_prepared_collection_is_filled_with_its_own_settings_and_says_its_mode_then(
    console: Console,
) -> None:
    prepared(console, index={"m": 24}, quantization=INT8)
    found = looked(console, target="prepared", mode=Mode.EXACT)
    assert planned(found) == ({"m": 24}, INT8)
    assert found.to_embed == PICTURES
    assert found.has("target-settings")
    assert not found.blocked
    assert not any(found.has(code) for code in ("target-index", "target-quantization", "target-mode", "settings-kept"))
    request = replace(ASKED, target="prepared", mode=Mode.EXACT)
    build = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    assert (build.target, build.counts.done) == ("prepared", PICTURES)
    info = console.store.describe("prepared")
    assert settings_of(info) == ({"m": 24}, INT8)
    assert info.stamp is not None
    assert info.stamp.preprocess == "exact"
