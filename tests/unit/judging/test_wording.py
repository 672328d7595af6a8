"""Numbers are written in one way, and what is not known is never written as a number."""

import pytest

from console_core.judging import wording
from console_core.judging.protocol import Protocol
from console_core.judging.report_numbers import FORMATS


@pytest.mark.parametrize(
    ("how", "value", "said"),
    [
        ("score", 0.87349, "0.873"),
        ("difference", 0.0124, "+0.012"),
        ("difference", -0.5, "-0.500"),
        ("share", 0.9504, "95.0%"),
        ("count", 12345, "12,345"),
        ("chance", 0.0004, "below 0.001"),
        ("finished", {"olga": 1200, "pete": 7}, "olga 1,200, pete 7: grades of questions that the judge finished"),
        ("chance", 0.0351, "0.035"),
        ("plain", 0.05, "0.05"),
        ("plain", 0, "0"),
        ("grade", 0, "0"),
        ("moment", "2026-11-03T14:05:59+00:00", "2026-11-03 14:05 UTC"),
        ("gain", {"0": 0, "1": 1}, "0 → 0, 1 → 1"),
        ("judges", {}, "nobody"),
        ("named", [], "0"),
        ("named", ["a dog", "a cat"], "2: a dog, a cat"),
        ("named", list("abcdefghijkl"), "12: a, b, c, d, e, f, g, h, i, j and 2 more"),
        ("settings", {"exact": True}, "exact True"),
    ],
)
def test_a_number_is_written_as_people_read_it(how: str, value: object, said: str) -> None:
    assert FORMATS[how](value) == said


@pytest.mark.parametrize(
    "how", sorted(FORMATS.keys() - {"finished", "gain", "judges", "named", "versions", "settings"})
)
def test_what_is_not_known_is_a_dash(how: str) -> None:
    assert FORMATS[how](None) == wording.UNKNOWN


def test_looks_are_told_with_what_they_cost() -> None:
    assert wording.looked(0, 0) == "Never looked at before the models were told."
    before = "no look before the last judgement showed a result"
    assert wording.looked(1, 0) == f"Looked at once before the models were told, and {before}."
    assert "3 times" in wording.looked(3, 2)
    assert "2 states" in wording.looked(3, 2)


def test_a_withheld_verdict_advises_what_can_still_be_done() -> None:
    assert "named here" in wording.advice("withheld", revealed=False)
    assert "begin another" in wording.advice("withheld", revealed=True)
    assert all(
        "ask the query set again" in wording.advice("withheld", revealed=told, intact=False) for told in (False, True)
    )
    assert wording.advice("non-inferior", revealed=True) == ""


def test_votes_are_locked_without_a_metric_or_a_margin() -> None:
    protocol = Protocol(k=5, margin=0.03)
    assert wording.locked("grades", protocol) == "nDCG@5, margin 0.03, confidence 95.0% for each bound"
    assert (wording.measured("grades", protocol), wording.margin("grades", protocol)) == ("nDCG@5", "0.03")
    said = "votes between lists of 5, confidence 95.0%, all questions that are not answered alike"
    assert wording.locked("votes", protocol) == said
    assert wording.locked("votes", Protocol(k=5, queries=150)).endswith("95.0%, 150 questions")
    assert (wording.measured("votes", protocol), wording.margin("votes", protocol)) == ("lists of 5", "–")


def test_only_what_is_more_than_rounding_is_said_to_move_a_mean() -> None:
    assert wording.differ(-0.2, 0.1)
    assert not wording.differ(-0.012, -0.012 + 1e-15)
    assert not wording.differ(None, None)
