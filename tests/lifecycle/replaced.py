"""What must have been done before a collection may be replaced: verify what comes, back up what goes, prove that."""

from console_core.catalog.types import EVERYTHING
from console_core.commands import command
from console_core.console import Console
from console_core.migration.verify_plan import VerifyPlan
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState
from tests.conftest import OPERATOR, fill, finish

NEW = "images__demo-siglip"


def beside(console: Console, served: str = "images") -> Run:
    """Make a new collection beside the one that is searched by its own name, and verify it against that."""
    fill(console, NEW, "demo-siglip")
    return compared(console, NEW, served)


def compared(console: Console, target: str, replaces: str) -> Run:
    """Verify a collection, and compare it with the one that it would replace."""
    stamp = console.store.describe(target).stamp
    assert stamp is not None
    dimension = console.store.describe(target).dimension
    plan = VerifyPlan(target, stamp.model, stamp.fingerprint, dimension, EVERYTHING, replaces=replaces)
    verify = console.ledger.submit(
        kind="verify",
        lane=Lane.ACCELERATOR,
        title=f"Verify {target}",
        target=target,
        spec=plan.as_json(),
        actor="olga",
        selected=console.catalog.count(),
        writes=False,
    )
    return finish(console, verify)


def proven(console: Console, collection: str) -> str:
    """Back a collection up and prove that; the id of the backup."""
    finish(console, command(console, OPERATOR, "back_up", collection=collection))
    backup = console.backups.all(collection)[0].id
    finish(console, command(console, OPERATOR, "prove", backup=backup))
    assert console.backups.get(backup).proven
    return backup


def failing(console: Console, collection: str, key: str) -> None:
    """A run failed on a picture of a collection, and no other has embedded it since."""
    run = console.ledger.submit(
        kind="retry", lane=Lane.STORE, title="Retry", target=collection, spec={}, actor="olga", selected=1, writes=True
    )
    assert console.ledger.claim(Lane.STORE, "a test", only=run.id)
    failure = Failure(key, "missing", "There is no file.", "x.jpg")
    console.ledger.record(run.id, Progress(key, Counts(1, 0, failed={"missing": 1}), (failure,)))
    console.ledger.finish(run.id, RunState.SUCCEEDED, reason="")
