"""What a person may ask of a run in each state, and what follows; read off the transition table."""

from console_core.errors import IllegalTransition
from console_core.runs.types import TRANSITIONS, RunState, Verb

_LEADS_TO = {
    Verb.PAUSE: (RunState.PAUSED, RunState.PAUSING),
    Verb.RESUME: (RunState.QUEUED,),
    Verb.CANCEL: (RunState.CANCELLED, RunState.CANCELLING),
}
_ALREADY = {
    Verb.PAUSE: frozenset({RunState.PAUSING, RunState.PAUSED}),
    Verb.RESUME: frozenset({RunState.QUEUED, RunState.RUNNING}),
    Verb.CANCEL: frozenset({RunState.CANCELLING, RunState.CANCELLED}),
}
_REMEDIES = {
    RunState.PAUSING: "Wait until it is paused.",
    RunState.CANCELLING: "It is being cancelled; start a new run.",
    RunState.PAUSED: "Resume or cancel it.",
    RunState.INTERRUPTED: "Resume or cancel it.",
    RunState.FAILED: "Resume or cancel it.",
}


def verbs(state: RunState) -> frozenset[Verb]:
    """What can usefully be asked of a run in this state: what a page offers as buttons."""
    return frozenset(verb for verb in Verb if state not in _ALREADY[verb] and _following(state, verb) is not None)


def following(state: RunState, verb: Verb) -> RunState:
    """The state that a run is in once it was asked; the same state where that was asked before.

    Raises:
        IllegalTransition: a run in this state cannot do that.
    """
    if state in _ALREADY[verb]:
        return state
    after = _following(state, verb)
    if after is None:
        raise illegal(state, _LEADS_TO[verb][0])
    return after


def require(state: RunState, to: RunState) -> None:
    """Check one step of the transition table.

    Raises:
        IllegalTransition: the table does not have it.
    """
    if to not in TRANSITIONS[state]:
        raise illegal(state, to)


def illegal(state: RunState, to: RunState) -> IllegalTransition:
    remedy = _REMEDIES.get(state, "" if TRANSITIONS[state] else "It is finished; start a new run.")
    return IllegalTransition(f"A run that is {state} cannot become {to}.", remedy)


def _following(state: RunState, verb: Verb) -> RunState | None:
    return next((after for after in _LEADS_TO[verb] if after in TRANSITIONS[state]), None)
