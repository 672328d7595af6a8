"""The stepper of a migration: what is done, what is now, and what a rollback does to it."""

import pytest

from console_core.migration.records import Stage
from console_core.ui.migration.stages import NEXT, WORDS, next_of, steps


def _marks(stage: Stage, **told: bool) -> dict[str, str]:
    return {step.title: step.mark for step in steps(stage, {}, **told)}


@pytest.mark.parametrize("stage", list(Stage))
def test_every_stage_has_a_word_a_next_step_and_a_place_in_the_stepper(stage: Stage) -> None:
    assert WORDS[stage].meaning
    assert NEXT[stage]
    marks = list(_marks(stage).values())
    assert marks == sorted(marks, key=["done", "now", "problem", "open"].index), "nothing is done after what is open"


def test_a_rollback_leads_back_to_judging_and_leaves_nothing_done_after_it() -> None:
    assert _marks(Stage.LIVE)["Cut over"] == "done"
    assert _marks(Stage.ROLLED_BACK) == {
        "Plan": "done",
        "Build": "done",
        "Verify": "done",
        "Judge": "now",
        "Cut over": "open",
        "Retire": "open",
    }


def test_the_stepper_ends_with_the_retirement() -> None:
    assert _marks(Stage.LIVE)["Retire"] == "open"
    assert set(_marks(Stage.RETIRED).values()) == {"done"}


def test_a_recreation_in_place_is_named_as_such() -> None:
    assert "Recreate" in _marks(Stage.READY, in_place=True)
    assert next_of(Stage.READY, in_place=True) == "recreate in place"
    assert next_of(Stage.READY, in_place=False) == "judge, then cut over"
    assert next_of(Stage.BUILT, in_place=True) == "verify"
