"""An empty collection is made as it was previewed, or not at all; and a check says line by line what is there."""

from dataclasses import replace
from typing import Any

import pytest

from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import CollectionNotFound, NotAllowed, Refused
from console_core.migration.checking import ANY, checked
from console_core.migration.findings import Severity
from console_core.migration.making import Making, NewCollection, making
from console_core.vectorstore.tuning import USUAL, Tuning
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.conftest import OPERATOR

ASKED = NewCollection("prepared", "demo-siglip", like="images", tuning=USUAL)


def previewed(console: Console, **otherwise: Any) -> Making:
    return making(console.preflight_parts(), replace(ASKED, **otherwise))


def made(console: Console, asked: NewCollection = ASKED) -> Making:
    arguments = {"collection": asked.name, "model": asked.model, "like": asked.like, "tuning": asked.tuning}
    found: Making = command(console, OPERATOR, "create_collection", **arguments)
    return found


def test_what_is_previewed_is_what_is_made_and_the_preview_writes_nothing(console: Console) -> None:
    before = console.store.collections()
    preview = previewed(console)
    assert console.store.collections() == before
    assert preview.facts["Index"] == "HNSW, m 16, ef_construct 100"
    assert made(console) == preview
    info = console.store.describe("prepared")
    assert preview.spec is not None
    assert (info.dimension, info.distance, info.stamp, info.points, info.aliases) == (
        *(192, "cosine", preview.spec.stamp, 0, ()),
    )
    assert (info.wished_index, info.wished_quantization) == (USUAL.index, USUAL.quantization)
    entry = console.ledger.journal(limit=1)[0]
    assert (entry.action, entry.subject, entry.outcome) == ("create_collection", "prepared", "done")
    assert "INT8, quantile 0.99" in entry.detail


def test_distance_and_settings_come_from_the_collection_that_it_shall_be_like(console: Console) -> None:
    console.store.create("other", CollectionSpec(8, "dot", index={"m": 8}, quantization={"type": "binary"}))
    found = previewed(console, like="other", tuning=Tuning({"ef_construct": 50}))
    assert found.spec is not None
    assert (found.spec.distance, found.spec.index, found.spec.quantization) == (
        *("dot", {"m": 8, "ef_construct": 50}, {"type": "binary"}),
    )


def test_like_no_other_it_has_the_stores_usual_index_and_no_quantization(console: Console) -> None:
    found = previewed(console, like="", tuning=Tuning())
    assert found.spec is not None
    assert (found.spec.distance, found.spec.index, found.spec.quantization) == ("cosine", {}, {})
    assert (found.facts["Index"], found.facts["Quantization"]) == ("the store's usual one", "none")


@pytest.mark.parametrize(
    ("otherwise", "code", "says"),
    [
        ({"name": "images__demo-clip"}, "target-exists", "exists already, with 48 points"),
        ({"name": "images"}, "target-alias", "is an alias, of images__demo-clip"),
        ({"name": "two words"}, "target-name", "cannot be the name"),
        ({"model": "no-such-model"}, "model", 'No model is called "no-such-model"'),
        ({"model": "siglip-vit-b-16-webli"}, "model", ""),
        ({"like": "nowhere"}, "source-missing", "no alias or collection nowhere"),
        ({"tuning": Tuning({"m": 1000})}, "settings-refused", "m = 1000"),
        ({"tuning": Tuning(quantization={"type": "float16"})}, "settings-refused", "float16"),
    ],
)
def test_what_cannot_be_made_is_refused_alike_by_the_preview_and_by_the_command(
    console: Console, otherwise: dict[str, Any], code: str, says: str
) -> None:
    before = console.store.collections()
    preview = previewed(console, **otherwise)
    assert (preview.spec, preview.facts) == (None, {})
    blocking = [finding for finding in preview.findings if finding.severity is Severity.BLOCK]
    assert [finding.code for finding in blocking] == [code]
    assert says in blocking[0].message
    with pytest.raises(Refused) as raised:
        made(console, replace(ASKED, **otherwise))
    assert (raised.value.message, raised.value.remedy) == (blocking[0].message, blocking[0].remedy)
    assert raised.value.remedy
    assert console.store.collections() == before


def test_a_viewer_makes_no_collection(console: Console) -> None:
    with pytest.raises(NotAllowed, match="create collection needs operator"):
        command(console, Actor("vera", "viewer"), "create_collection", collection="prepared", model="demo-siglip")
    with pytest.raises(CollectionNotFound):
        console.store.describe("prepared")


def test_a_check_of_what_was_made_fits_and_each_thing_that_differs_is_named(console: Console) -> None:
    siglip, clip = (console.models.get(key) for key in ("demo-siglip", "demo-clip"))
    like = console.store.describe("images")
    made(console, replace(ASKED, tuning=Tuning()))
    found = console.store.describe("prepared")
    lines = checked(found, embedder=siglip, like=like, points=0)
    assert [line.what for line in lines] == [
        *("dimension", "distance", "m", "ef_construct", "quantization", "stamp", "points", "status", "aliases"),
    ]
    assert all(line.fits for line in lines)
    assert {line.what for line in lines if line.expected == ANY} == {"m", "ef_construct", "aliases"}
    wrong = checked(replace(found, status="grey"), embedder=clip, tuning=USUAL, points=5)
    assert [line.what for line in wrong if not line.fits] == [
        *("dimension", "m", "ef_construct", "quantization", "stamp", "points", "status"),
    ]
    assert str(wrong[0]) == "NOT  dimension: expected 128, found 192"


def test_settings_that_the_store_only_noted_do_not_pass_for_settings_in_force(console: Console) -> None:
    made(console)
    lines = {line.what: line for line in checked(console.store.describe("prepared"), tuning=USUAL)}
    assert [lines[what].fits for what in ("m", "ef_construct", "quantization")] == [False] * 3
    assert lines["m"].found == "not in force; only noted: 16"
    assert lines["quantization"].found == "none in force; only noted: INT8, quantile 0.99, always in memory"


def test_a_quantization_that_nobody_asked_for_does_not_fit_where_none_is_expected(console: Console) -> None:
    found = replace(console.store.describe("images"), quantization={"type": "int8"})
    stamped = replace(found, stamp=ModelStamp("demo-clip", "f00d"))
    assert [line.what for line in checked(stamped, tuning=Tuning(quantization={})) if not line.fits] == ["quantization"]
    assert all(line.fits for line in checked(stamped)), "where nothing is expected everything fits"


@pytest.mark.parametrize(
    ("otherwise", "fails"),
    [
        ({"distance": "dot"}, ["distance"]),
        ({"index": {"m": 16, "ef_construct": 100}, "index_deferred": True}, ["m", "ef_construct"]),
        ({"quantization": {}}, ["quantization"]),
        ({"quantization": {"type": "binary", "quantile": 0.99, "always_ram": True}}, ["quantization"]),
        ({"stamp": None}, ["stamp"]),
    ],
)
def test_one_thing_that_is_otherwise_than_expected_is_the_one_that_does_not_fit(
    console: Console, otherwise: dict[str, Any], fails: list[str]
) -> None:
    embedder = console.models.get("demo-clip")
    index, quantization = USUAL.over({}, {})
    right = replace(console.store.describe("images"), index=index, quantization=quantization)
    asked: dict[str, Any] = {"embedder": embedder, "like": right, "tuning": USUAL, "points": right.points}
    assert all(line.fits for line in checked(right, **asked))
    assert [line.what for line in checked(replace(right, **otherwise), **asked) if not line.fits] == fails
