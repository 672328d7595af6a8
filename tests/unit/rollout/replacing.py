"""A collection that is searched by its own name, one that shall replace it, and a proven backup: all of it real."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from console_core.backup.backups import Backups
from console_core.backup.operation import BackUp
from console_core.backup.proving import Prove
from console_core.rollout.records import Moves
from console_core.rollout.recreate import Recreate, RecreatePlan, steps_of
from console_core.rollout.retire import Retire
from console_core.runs.execution import work
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Operation, Progress, Run, RunState, Verb
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore

OLD, NEW, FORMER = "images", "images__new", "images__former"
POINTS = 30


def points(dimension: int) -> list[Point]:
    vectors = np.random.default_rng(dimension).normal(size=(POINTS, dimension)).astype(np.float32)
    return [Point(n, vector, {"caption": f"square {n}"}) for n, vector in enumerate(vectors, start=1)]


@dataclass
class Site:
    """The old collection has 8 numbers in a vector, the new one 12."""

    store: VectorStore
    ledger: Ledger
    moves: Moves
    backups: Backups

    def prepare(self) -> None:
        for name, dimension in ((OLD, 8), (NEW, 12)):
            self.store.create(name, CollectionSpec(dimension, stamp=ModelStamp(f"of {dimension}", f"{dimension:016}")))
            self.store.upsert(name, points(dimension))
        self.verify(NEW, OLD)
        self.prove(OLD)

    def verify(self, collection: str, replaces: str) -> None:
        run = self.ledger.submit(
            kind="verify", lane=Lane.STORE, title="", target=collection, spec={}, actor="olga", writes=False
        )
        assert self.ledger.claim(Lane.STORE, "a test", only=run.id)
        held, stamp = signature_of(self.store, collection), self.store.describe(collection).stamp
        about = {"points": held.points, "fingerprint": stamp.fingerprint if stamp else None, "replaces": replaces}
        green: dict[str, object] = {"verdict": "green", "checks": [], **about, "signature": held.as_json()}
        self.ledger.record(run.id, Progress("1", Counts(), result=green))
        self.ledger.finish(run.id, RunState.SUCCEEDED, reason="")

    def prove(self, collection: str) -> str:
        backup = self.backups.new_id(collection)
        for operation in (
            BackUp(self.store, self.backups, collection, backup, "r-backup"),
            Prove(self.store, self.backups, backup, f"{collection}__proof-abcdef", "r-proof"),
        ):
            assert list(operation.steps("", Counts()))
        return backup

    def recreation(self) -> Run:
        (backup,) = self.backups.all(OLD)
        plan = RecreatePlan(OLD, NEW, FORMER, backup.id, "olga")
        return self._submitted("recreate", OLD, plan.as_json(), steps_of(POINTS))

    def retirement(self, collection: str, holding_days: float = 30) -> Run:
        return self._submitted("retire", collection, {"holding_days": holding_days}, POINTS)

    def _submitted(self, kind: str, target: str, spec: dict[str, object], selected: int) -> Run:
        lane = Lane.STORE
        return self.ledger.submit(
            kind=kind, lane=lane, title=kind, target=target, spec=spec, actor="olga", selected=selected, writes=True
        )

    def work(self, run: Run) -> Run:
        """Do a run to its end, resumed where it has stopped."""
        if self.ledger.get(run.id).state is not RunState.QUEUED:
            self.ledger.ask(run.id, Verb.RESUME, "olga")
        claimed = self.ledger.claim(Lane.STORE, "a test", only=run.id)
        assert claimed is not None
        return work(claimed, self.operation, self.ledger, lambda: False)

    def operation(self, run: Run) -> Operation:
        store, ledger, moves, backups = self.store, self.ledger, self.moves, self.backups
        if run.kind == "retire":
            holding = timedelta(days=run.spec["holding_days"])
            return Retire(run.target, run.id, store=store, ledger=ledger, moves=moves, backups=backups, holding=holding)
        plan, age = RecreatePlan.from_json(run.spec), timedelta(hours=24)
        return Recreate(plan, run.id, store=store, ledger=ledger, moves=moves, backups=backups, age=age)

    def stage(self, run: Run) -> str:
        return str(json.loads(self.ledger.get(run.id).checkpoint or "{}").get("stage", ""))

    def leads_to(self) -> str:
        """What the application finds under the old name; "" where that is nothing."""
        names = {info.name for info in self.store.collections()}
        return self.store.aliases().get(OLD, OLD if OLD in names else "")

    def names(self) -> Iterator[str]:
        return iter(sorted(info.name for info in self.store.collections()))
