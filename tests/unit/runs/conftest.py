from collections.abc import Callable
from itertools import count

import pytest

from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Run, RunState, Verb


@pytest.fixture
def submit(ledger: Ledger) -> Callable[..., Run]:
    def _submit(target: str = "images_v2", **changes: object) -> Run:
        values: dict[str, object] = {"kind": "reembed", "lane": Lane.ACCELERATOR, "title": f"Build {target}"}
        values |= {"target": target, "spec": {"model": "demo-siglip"}, "actor": "olga", "selected": 10, "writes": True}
        return ledger.submit(**(values | changes))  # type: ignore[arg-type]

    return _submit


@pytest.fixture
def run_in(ledger: Ledger, submit: Callable[..., Run]) -> Callable[[RunState], Run]:
    """A run brought into a state the way a real one gets there."""

    numbers = count(1)

    def _run_in(state: RunState) -> Run:
        run = submit(f"target-{next(numbers)}")
        if state is RunState.QUEUED:
            return run
        if state is RunState.PAUSED:
            return ledger.ask(run.id, Verb.PAUSE, "olga")
        claimed = ledger.claim(Lane.ACCELERATOR, "console", only=run.id)
        assert claimed is not None
        assert claimed.id == run.id
        if state is RunState.RUNNING:
            return claimed
        if state in (RunState.PAUSING, RunState.CANCELLING):
            return ledger.ask(run.id, Verb.PAUSE if state is RunState.PAUSING else Verb.CANCEL, "olga")
        if state is RunState.CANCELLED:
            ledger.ask(run.id, Verb.CANCEL, "olga")
        return ledger.finish(run.id, state, reason="because")

    return _run_in
