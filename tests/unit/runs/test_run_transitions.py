"""Every state with everything that can be asked of it, and with every state that a worker could want it to end in."""

from collections.abc import Callable

import pytest

from console_core.errors import IllegalTransition, NotFound
from console_core.runs.control import verbs
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, TRANSITIONS, WORKING, Run, RunState, Verb

S, V = RunState, Verb

AFTER_ASKING = {
    (S.QUEUED, V.PAUSE): S.PAUSED,
    (S.QUEUED, V.RESUME): S.QUEUED,
    (S.QUEUED, V.CANCEL): S.CANCELLED,
    (S.RUNNING, V.PAUSE): S.PAUSING,
    (S.RUNNING, V.RESUME): S.RUNNING,
    (S.RUNNING, V.CANCEL): S.CANCELLING,
    (S.PAUSING, V.PAUSE): S.PAUSING,
    (S.PAUSING, V.CANCEL): S.CANCELLING,
    (S.PAUSED, V.PAUSE): S.PAUSED,
    (S.PAUSED, V.RESUME): S.QUEUED,
    (S.PAUSED, V.CANCEL): S.CANCELLED,
    (S.CANCELLING, V.CANCEL): S.CANCELLING,
    (S.CANCELLED, V.CANCEL): S.CANCELLED,
    (S.INTERRUPTED, V.RESUME): S.QUEUED,
    (S.INTERRUPTED, V.CANCEL): S.CANCELLED,
    (S.FAILED, V.RESUME): S.QUEUED,
    (S.FAILED, V.CANCEL): S.CANCELLED,
}
"""Whatever is not here is refused."""


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("state", list(RunState))
def test_asking_leads_where_the_table_says_and_twice_is_the_same_as_once(
    ledger: Ledger, run_in: Callable[[RunState], Run], state: RunState, verb: Verb
) -> None:
    run = run_in(state)
    assert run.state is state
    after = AFTER_ASKING.get((state, verb))
    if after is None:
        with pytest.raises(IllegalTransition, match=state.value):
            ledger.ask(run.id, verb, "jo")
        assert ledger.get(run.id) == run
        assert verb not in verbs(state)
        return
    first = ledger.ask(run.id, verb, "jo")
    assert first.state is after
    assert (verb in verbs(state)) == (after is not state), "a button is offered where it changes something"
    asked = len(ledger.commands(run.id))
    assert ledger.ask(run.id, verb, "jo") == first
    assert len(ledger.commands(run.id)) == asked


@pytest.mark.parametrize("state", list(RunState))
def test_finishing_follows_the_table_and_a_refusal_names_both_states(
    ledger: Ledger, run_in: Callable[[RunState], Run], state: RunState
) -> None:
    run = run_in(state)
    legal = TRANSITIONS[state] if state in WORKING else frozenset()
    for to in set(RunState) - legal:
        with pytest.raises(IllegalTransition, match=state.value) as refused:
            ledger.finish(run.id, to, reason="so")
        if state in WORKING:
            assert to.value in refused.value.message
        assert ledger.get(run.id) == run
    for to in legal:
        finished = ledger.finish(run_in(state).id, to, reason="so")
        assert (finished.state, finished.reason) == (to, "so")


def test_what_is_asked_of_a_queued_or_stopped_run_happens_at_once_with_a_reason(
    ledger: Ledger, run_in: Callable[[RunState], Run]
) -> None:
    run = run_in(S.QUEUED)
    assert ledger.ask(run.id, V.PAUSE, "olga").reason == "Paused by olga."
    resumed = ledger.ask(run.id, V.RESUME, "jo")
    assert (resumed.reason, resumed.remedy) == ("", "")
    assert ledger.ask(run.id, V.CANCEL, "jo").reason == "Cancelled by jo."
    assert [(c.verb, c.actor) for c in ledger.commands(run.id)] == [
        (V.PAUSE, "olga"),
        (V.RESUME, "jo"),
        (V.CANCEL, "jo"),
    ]


def test_a_worker_hears_what_was_asked_of_its_run_and_the_strongest_wish_counts(
    ledger: Ledger, run_in: Callable[[RunState], Run]
) -> None:
    run = run_in(S.RUNNING)
    assert ledger.asked(run.id) is None
    assert "as olga asked" in ledger.ask(run.id, V.PAUSE, "olga").reason
    assert ledger.asked(run.id) is V.PAUSE
    ledger.ask(run.id, V.CANCEL, "jo")
    assert ledger.asked(run.id) is V.CANCEL


def test_only_terminal_states_offer_nothing() -> None:
    assert {state for state in RunState if not verbs(state)} == TERMINAL | {S.CANCELLING}


def test_an_unknown_run_is_not_found(ledger: Ledger) -> None:
    for action in (
        lambda: ledger.get("r-nobody"),
        lambda: ledger.ask("r-nobody", V.PAUSE, "olga"),
        lambda: ledger.asked("r-nobody"),
        lambda: ledger.finish("r-nobody", S.FAILED, reason="so"),
    ):
        with pytest.raises(NotFound, match="r-nobody"):
            action()
