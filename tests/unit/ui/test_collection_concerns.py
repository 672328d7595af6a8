"""What is odd about a collection."""

from dataclasses import replace

import pytest

from console_core.database import now
from console_core.demo.cards import DEMO_CARDS
from console_core.rollout.records import Move, MoveKind
from console_core.ui.collections.concerns import concerns, strangers
from console_core.ui.collections.paging import Place
from console_core.vectorstore.provenance import Provenance
from console_core.vectorstore.types import CollectionInfo, ModelStamp, Point

CLIP = DEMO_CARDS[0]
FINE = CollectionInfo(
    name="images__clip",
    dimension=CLIP.dimension,
    distance="cosine",
    points=3,
    status="green",
    stamp=ModelStamp(CLIP.key, "f"),
    aliases=("images",),
    index={},
    quantization={},
    payload_fields=(),
)


def move(after: str) -> Move:
    return Move(now(), "olga", MoveKind.CUT_OVER, "images", "before", after, "")


def test_nothing_is_odd_about_a_collection_whose_model_and_alias_are_as_recorded() -> None:
    assert list(concerns(FINE, CLIP, [move(FINE.name)])) == []


@pytest.mark.parametrize(
    ("changes", "card", "code", "severity"),
    [
        ({"dimension": 4}, CLIP, "dimension", "block"),
        ({"problem": "It has 2 named vectors."}, CLIP, "shape", "block"),
        ({"stamp": ModelStamp("lost", "f")}, None, "model-unknown", "warn"),
        ({"points": 0}, CLIP, "empty", "warn"),
        ({"distance": "euclid"}, CLIP, "distance", "info"),
    ],
)
def test_each_oddity_is_named(changes: dict[str, object], card: object, code: str, severity: str) -> None:
    found = list(concerns(replace(FINE, **changes), card, []))  # type: ignore[arg-type]
    assert [(one.code, one.severity) for one in found] == [(code, severity)]


def test_a_collection_without_a_recorded_model_is_not_blamed_for_it_here() -> None:
    assert list(concerns(replace(FINE, stamp=None), None, [])) == []
    assert list(concerns(replace(FINE, stamp=ModelStamp("", "f")), None, [])) == []


def test_an_alias_that_something_else_moved_is_noticed() -> None:
    (found,) = concerns(FINE, CLIP, [move("images__siglip")])
    assert found.code == "moved-elsewhere"
    assert "images__siglip" in found.message


def test_points_of_another_model_are_counted_and_those_that_say_nothing_are_not() -> None:
    payloads = [Provenance("1", "", "", fingerprint, "", "").as_payload() for fingerprint in ("f", "other", "")]
    points = [Point(number, None, payload) for number, payload in enumerate([*payloads, {}])]
    assert strangers(FINE, points) == 1
    assert strangers(replace(FINE, stamp=None), points) == 0


def test_the_way_back_leads_to_the_first_page_and_not_before_it() -> None:
    assert Place().back(28) is None
    assert Place(("28",), 28).back(28) == Place()
    assert Place(("28", "56"), 56).back(28) == Place(("28",), 28)
    assert Place(("84",), 84).back(28) is None
