"""A plan says the same after it was stored, and a target gets a name that says what it is."""

import json

import pytest

from console_core.catalog.types import Slice
from console_core.embedding.preprocessing import Mode
from console_core.migration.plan import MigrationPlan, target_name
from console_core.migration.verify import VerifyPlan
from console_core.vectorstore.naming import is_name


@pytest.mark.parametrize(
    "part",
    [Slice(), Slice({"user_id": ("user-1", "")}), Slice(keys=("1", "2")), Slice({"a": ("b",)}, keys=())],
)
def test_a_plan_is_the_same_after_it_was_stored_as_json(part: Slice) -> None:
    plan = MigrationPlan(
        alias="images",
        source="images__clip",
        model="demo-siglip",
        fingerprint="0123456789abcdef",
        target="images__demo-siglip",
        dimension=192,
        distance="dot",
        part=part,
        index={"m": 32, "full_scan_threshold": 100},
        quantization={"type": "int8", "always_ram": True},
        batch_size=7,
        mode=Mode.TURBO,
        fills=True,
    )
    stored = json.loads(json.dumps(plan.as_json()))
    assert stored["version"] == 1
    assert stored["mode"] == "turbo"
    assert MigrationPlan.from_json(stored) == plan
    del stored["mode"]
    assert MigrationPlan.from_json(stored).mode is Mode.FAST, "plans from before there were modes"


def test_a_verification_is_the_same_after_it_was_stored_as_json() -> None:
    plan = VerifyPlan("images__demo-siglip", "demo-siglip", "0" * 16, 192, Slice({"user_id": ("user-1",)}))
    assert VerifyPlan.from_json(json.loads(json.dumps(plan.as_json()))) == plan


def test_a_plan_without_an_alias_is_called_by_its_source() -> None:
    plan = MigrationPlan("", "images", "demo-siglip", "0" * 16, "images__demo-siglip", 192)
    assert plan.title == "images → demo-siglip"


@pytest.mark.parametrize(
    ("served", "model", "taken", "name"),
    [
        ("images", "demo-siglip", (), "images__demo-siglip"),
        ("images", "demo-siglip", ("images__demo-siglip",), "images__demo-siglip-2"),
        ("images", "demo-siglip", ("images__demo-siglip", "images__demo-siglip-2"), "images__demo-siglip-3"),
        ("images__demo-clip", "demo-siglip", (), "images__demo-siglip"),
        ("__odd", "m", (), "__odd__m"),
        ("images", "ViT-B-16-SigLIP/webli", (), "images__vit-b-16-siglip-webli"),
        ("bilder-für-ömer", "local-dir:/models/Mine, v2", (), "bilder-für-ömer__local-dir-models-mine-v2"),
    ],
)
def test_a_target_is_named_after_what_it_serves_and_its_model(
    served: str, model: str, taken: tuple[str, ...], name: str
) -> None:
    assert target_name(served, model, taken) == name


@pytest.mark.parametrize("served", ["my photos", "a/b", 'Söhne: "2024"?', "..", "\t", "x" * 300, "a\\b__old"])
def test_the_name_of_a_target_is_one_that_may_be_given_whatever_the_alias_is_called(served: str) -> None:
    name = target_name(served, "demo-siglip", ())
    assert is_name(name)
    assert name.endswith("__demo-siglip")
    assert "ö" not in served or name.startswith("Söhne-2024")


def test_the_name_of_a_target_stays_short_however_long_the_path_of_its_model_is() -> None:
    name = target_name("images", "local-dir:/" + "very/long/" * 40 + "mine", ())
    assert len(name) <= 100
    assert name.endswith("long-mine")
