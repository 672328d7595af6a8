"""The gap in which a name that changes hands leads nowhere, and how it is closed again, whatever came between."""

import json

from console_core.errors import CollectionNotFound, StoreError
from console_core.rollout.records import Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, WORKING, Run, RunState, Verb
from console_core.vectorstore.types import VectorStore

KIND = "recreate"
"""The one kind of run that takes a name away before it gives it to another collection."""
SWITCH, DONE = "switch", "done"
"""Its stages from when it may take the name away."""


def lead_somewhere(store: VectorStore, name: str, *collections: str) -> str:
    """What a name leads to: where that is nowhere, the first of these collections that it can be given to.

    Itself where it is a collection's; "" where the store does not say, or takes none of them.
    """
    try:
        if (serving := store.aliases().get(name)) is not None:
            return serving
        if exists(store, name):
            return name
        for collection in collections:
            if exists(store, collection):
                store.set_alias(name, collection, expected=None)
                return collection
    except StoreError:
        return ""
    return ""


def close_gaps(store: VectorStore, ledger: Ledger, moves: Moves, actor: str) -> list[Run]:
    """Let every name lead somewhere that a crash, or a store that failed, stopped while it changed hands.

    A run that was interrupted in between goes on by itself; those are returned. One that was cancelled does not, and
    its name leads to what it led to before. Harmless when repeated.
    """
    resumed = []
    for run in ledger.runs(kinds=(KIND,), states=frozenset(RunState) - WORKING - {RunState.SUCCEEDED}, limit=1000):
        stage = json.loads(run.checkpoint or "{}").get("stage")
        name, target, former = run.spec["collection"], run.spec["target"], run.spec["former"]
        if stage == SWITCH and run.state not in TERMINAL:
            lead_somewhere(store, name, target, former)
        elif stage == SWITCH and _had_begun(moves, run):
            lead_somewhere(store, name, former, target)
        if stage in (SWITCH, DONE) and run.state is RunState.INTERRUPTED:
            resumed.append(ledger.ask(run.id, Verb.RESUME, actor))
    return resumed


def _had_begun(moves: Moves, run: Run) -> bool:
    """Whether a run may have taken the name away: that it was about to is recorded first."""
    newest = next(iter(moves.of(run.spec["collection"], limit=1)), None)
    if newest is None or newest.at < run.created_at:
        return False
    return (newest.before, newest.after) == (run.spec["former"], run.spec["target"])


def exists(store: VectorStore, collection: str) -> bool:
    try:
        return store.describe(collection).name == collection
    except CollectionNotFound:
        return False
