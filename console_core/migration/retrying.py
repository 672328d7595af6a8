"""What a person may do about failed pictures: try them again, or put them into quarantine."""

from collections.abc import Sequence

from console_core.catalog.names import told
from console_core.errors import Refused
from console_core.migration.plan import USUAL_BATCH
from console_core.migration.retry import MOST_KEYS, RetryPlan
from console_core.runs.failed_pictures import FailedPictures, in_order
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Run
from console_core.vectorstore.types import VectorStore


def submit_retry(
    store: VectorStore,
    ledger: Ledger,
    failed: FailedPictures,
    collection: str,
    *,
    keys: Sequence[str] = (),
    kind: str = "",
    actor: str,
) -> Run:
    """Queue a run that tries failed pictures again: these keys, or a class, or all.

    Raises:
        Refused: nothing of it has failed, all of it is in quarantine, too many are named, nothing says which model
            made the collection, or another run writes to it.
        CollectionNotFound
    """
    info = store.describe(collection)
    if info.stamp is None:
        raise Refused(f"{info.name} does not say which model made it.", "Stamp it on the Collections page first.")
    if len(keys) > MOST_KEYS:
        raise Refused(
            f"{len(keys):,} pictures are named; one retry may name {MOST_KEYS:,}.", "Retry a class of them, or all."
        )
    builds = ledger.runs(kinds=("reembed",), target=info.name, limit=1)
    plan = RetryPlan(
        collection=info.name,
        model=info.stamp.model,
        fingerprint=info.stamp.fingerprint,
        kind="" if keys else kind,
        keys=tuple(in_order(keys)),
        batch_size=int(builds[0].spec.get("batch_size", USUAL_BATCH)) if builds else USUAL_BATCH,
    )
    selected = _selected(failed, plan)
    return ledger.submit(
        kind="retry",
        lane=Lane.ACCELERATOR,
        title=f"Retry of {plan.kind or 'failed'} pictures",
        target=info.name,
        spec=plan.as_json(),
        actor=actor,
        migration=builds[0].migration if builds else "",
        selected=selected,
        writes=True,
    )


def quarantine(
    store: VectorStore, failed: FailedPictures, collection: str, *, keys: Sequence[str] = (), kind: str = "", actor: str
) -> int:
    """Put failed pictures into quarantine: these keys, or a class. Returns how many were not in it before.

    Raises:
        Refused: neither a key nor a class is named, or none of them has failed.
        CollectionNotFound
    """
    name = store.describe(collection).name
    if not keys and not kind:
        raise Refused("Nothing is named that should go into quarantine.", "Name pictures, or a class of failure.")
    if not (failed.among(name, keys) if keys else failed.counts(name).get(kind)):
        raise Refused(f"{_these(keys, kind)} did not fail in {name}.", "Look at the failures of this collection.")
    return failed.quarantine(name, actor, keys=keys, kind="" if keys else kind)


def release(
    store: VectorStore, failed: FailedPictures, collection: str, *, keys: Sequence[str] = (), kind: str = ""
) -> int:
    """Take failed pictures out of quarantine: these keys, a class, or all. Returns how many were in it.

    Raises:
        CollectionNotFound
    """
    return failed.release(store.describe(collection).name, keys=keys, kind="" if keys else kind)


def _selected(failed: FailedPictures, plan: RetryPlan) -> int:
    """How many pictures a retry is about, at least one of which may be tried."""
    if plan.keys:
        number = len(failed.among(plan.collection, plan.keys))
        free = number
    else:
        everything, open_to = failed.counts(plan.collection), failed.counts(plan.collection, quarantined=False)
        number = everything.get(plan.kind, 0) if plan.kind else sum(everything.values())
        free = open_to.get(plan.kind, 0) if plan.kind else sum(open_to.values())
    what = _these(plan.keys, plan.kind)
    if not number:
        raise Refused(f"{what} did not fail in {plan.collection}.", "Look at the failures of this collection.")
    if not free:
        raise Refused(f"{what} are in quarantine.", "Release them, or name the ones to be tried all the same.")
    return number


def _these(keys: Sequence[str], kind: str) -> str:
    if keys:
        return f"Picture {told(keys[0])}" if len(keys) == 1 else "These pictures"
    return f'Pictures of the class "{kind}"' if kind else "Pictures"
