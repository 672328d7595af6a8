"""A protocol is whole, never changes, and is told from every other one by its digest."""

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from console_core.errors import Refused
from console_core.judging.protocol import Protocol

OTHERS: dict[str, Any] = {
    **{"metric": "P", "k": 20, "scale": "yes/no", "gain": "linear", "relevant": 2, "margin": 0.03},
    **{"confidence": 0.9, "floor": 0.9, "gap": 0.1, "queries": 50, "seed": 7},
    **{"prefers": "disagreement", "repeats": "each"},
}


def test_it_comes_back_from_its_json_with_the_same_digest() -> None:
    protocol = Protocol(metric="Recall", k=20, scale="yes/no", margin=0.02, queries=120, seed=3)
    again = Protocol.from_json(protocol.to_json())
    assert again == protocol
    assert again.digest == protocol.digest


def test_equal_protocols_have_one_digest_however_their_numbers_were_written() -> None:
    assert Protocol(floor=1).digest == Protocol(floor=1.0).digest


def test_its_digest_does_not_change_from_version_to_version() -> None:
    """A locked one would otherwise be taken for changed."""
    assert Protocol().digest.startswith("2ba9d6b66a669ea4")


def test_one_that_was_locked_before_queues_preferred_stakes_is_as_it_was() -> None:
    old = Protocol(prefers="disagreement", repeats="each")
    assert old.digest.startswith("5e85d244c2e5e62e")
    assert "prefers" not in json.loads(old.to_json())
    assert Protocol.from_json(old.to_json()) == old
    assert Protocol.from_json(Protocol().voted.to_json()) == Protocol(prefers="disagreement")


@pytest.mark.parametrize("name", OTHERS)
def test_another_value_of_anything_is_another_digest(name: str) -> None:
    assert replace(Protocol(), **{name: OTHERS[name]}).digest != Protocol().digest


def test_every_value_is_part_of_that() -> None:
    assert OTHERS.keys() == json.loads(Protocol().to_json()).keys()


def test_it_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Protocol().margin = 0.5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("metric", "MAP"), ("scale", "stars"), ("gain", "square"), ("k", 0), ("k", 1.5), ("k", True)),
        *(("margin", 0.0), ("margin", 1.0), ("margin", float("nan")), ("margin", "0.05"), ("confidence", 0.5)),
        *(
            ("floor", 1.1),
            ("gap", -0.1),
            ("seed", -1),
            ("queries", 9),
            ("queries", -1),
            ("prefers", "luck"),
            ("repeats", "twice"),
        ),
        *(("relevant", 0), ("relevant", 4)),
    ],
)
def test_a_value_with_which_no_verdict_could_be_right_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Refused) as refused:
        replace(Protocol(), **{name: value})
    assert refused.value.remedy


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"k": 10}', "null"])
def test_what_is_no_protocol_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        Protocol.from_json(text)


def test_a_yes_or_no_has_no_relevant_grade_above_one() -> None:
    with pytest.raises(Refused, match="grade 2"):
        Protocol(scale="yes/no", relevant=2)


def test_gains_are_powers_of_two_less_one_or_the_grades_themselves() -> None:
    assert Protocol().gains == {0: 0, 1: 1, 2: 3, 3: 7}
    assert Protocol(gain="linear").gains == {0: 0, 1: 1, 2: 2, 3: 3}
