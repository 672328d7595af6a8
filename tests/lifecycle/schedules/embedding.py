"""Schedules over runs that embed: builds, retries, catch-ups and repairs, and what must be in their target."""

from abc import abstractmethod
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from console_core.catalog.decoding import decode
from console_core.catalog.loading import content_digest
from console_core.database import now
from console_core.following.catch_up import CatchUp
from console_core.following.comparing import Comparison, measure
from console_core.following.records import Follows, Lag
from console_core.migration.current import ALREADY_EMBEDDED
from console_core.migration.differences import Differences
from console_core.migration.filling import QUARANTINED
from console_core.migration.plan import MigrationPlan
from console_core.migration.reembed import Reembed
from console_core.migration.repair import Repair, RepairPlan, verify_again
from console_core.migration.retry import FAILED_NO_MORE, Retry, RetryPlan
from console_core.migration.retrying import submit_retry
from console_core.migration.verify import LEFT_THE_CATALOG, Verify, VerifyPlan
from console_core.runs.failed_pictures import FailedPictures
from console_core.runs.types import Operation, Run, RunState
from console_core.vectorstore.provenance import Provenance, point_id, provenance
from console_core.vectorstore.signature import Signature, signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId, Vector, VectorStore
from tests.grid_model import Grid
from tests.lifecycle.schedules.parts import AnyStore, StrictLedger, same_point
from tests.lifecycle.schedules.pictures import APPLICATION, BAD, ChangingCatalog, FaultyFiles, FaultyGrid
from tests.lifecycle.schedules.world import World

DIGEST = Grid.fingerprint.digest
AT_TIMES = ("unreadable", "timeout")
"""Classes in which a good picture fails at times."""


class Embedding(World):
    """A world with a catalog, pictures and a model."""

    bad: ClassVar[int] = len(BAD)
    changes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, seed: int, ledger: StrictLedger, store: AnyStore, folder: Path) -> None:
        super().__init__(seed, ledger, store, folder)
        self.catalog = ChangingCatalog(folder / f"{seed}.db", self.dice, bad=self.bad)
        self.images = FaultyFiles(folder / "images", self.catalog, self.schedule)
        self.failed = FailedPictures(ledger.database)
        self.schedule.change = lambda what: self.catalog.change(what, self.dice)
        self.schedule.changes = self.changes if seed % 2 else ()

    def unwanted(self, identifier: PointId) -> bool:
        return int(identifier) in self.catalog.files and self.catalog.kind(int(identifier)) == "unwanted"

    def close(self) -> None:
        self.catalog.close()
        self.store.drop(self.target)

    def plan(self, *, fills: bool = False) -> MigrationPlan:
        return MigrationPlan(
            alias="",
            source="old",
            model="grid",
            fingerprint=DIGEST,
            target=self.target,
            dimension=Grid.card.dimension,
            batch_size=self.dice.randint(1, 6),
            fills=fills,
        )

    def fill(self, share: float = 1.0) -> None:
        """Make the target, with the points of so many of the good pictures."""
        self.store.create(self.target, CollectionSpec(Grid.card.dimension, stamp=ModelStamp("grid", DIGEST)))
        good = [key for key in self.catalog.at_start if self.catalog.kind(key) == "good"]
        self.store.upsert(self.target, list(self.points([key for key in good if self.dice.random() < share]).values()))

    def points(self, keys: Iterable[int], **said: str) -> dict[PointId, Point]:
        """The points that pictures must have now."""
        found = {}
        for row in self.catalog.reading.get([str(key) for key in keys]):
            vector, content = truth(self.folder / "images" / self.catalog.file(int(row.key)))
            made = {"revision": row.revision, "content": content, "fingerprint": DIGEST} | said
            origin = Provenance(key=row.key, run="r-0", embedded_at=now().isoformat(timespec="seconds"), **made)
            found[point_id(row.key)] = Point(point_id(row.key), vector, {**row.payload, **origin.as_payload()})
        return found

    def there(self) -> dict[PointId, Point]:
        return {point.id: point for point in self.store.scroll(self.target, vectors=True)}

    def parts(self, store: VectorStore) -> dict[str, Any]:
        found = {"catalog": self.catalog.reading, "images": self.images, "store": store}
        return {**found, "embedder": lambda: FaultyGrid(self.schedule)}

    def build_quietly(self) -> None:
        """Fill the target with everything that can be embedded, so that the failures of the others stand."""
        self.quietly(self.submit("reembed", self.plan().as_json(), self.catalog.reading.count()))

    def operation(self, run: Run, store: VectorStore) -> Operation:
        if run.kind != "reembed":
            return self.own(run, store)
        plan = MigrationPlan.from_json(run.spec)
        return Reembed(plan, run.id, **self.parts(store), failed_among=self.ledger.failed_among)

    @abstractmethod
    def own(self, run: Run, store: VectorStore) -> Operation:
        """The operation of this world's kind of run."""

    def differences(self) -> dict[int, str]:
        """Pictures and points that are not as catalog and files say, but for pictures whose failure stands."""
        keys, there, found = self.catalog.keys(), self.there(), dict[int, str]()
        standing, struck = {int(one.key): one for one in self.failed.all(self.target)}, self.schedule.struck
        wanted = self.points(key for key in keys if self.catalog.kind(key) == "good")
        for key in sorted(keys | {int(one) for one in there}):
            point = there.get(key)
            if key not in keys:
                found[key] = "is there although its picture is not"
            elif (kind := self.catalog.kind(key)) != "good":
                told = standing[key].kind if key in standing else "no failure"
                if point is None and told not in (
                    BAD[kind],
                    *(AT_TIMES if str(key) in self.schedule.struck else ()),
                ):
                    found[key] = f"is {kind} and has {told}"
            elif point is None and key not in standing:
                found[key] = "is missing and did not fail"
            elif str(key) in struck and key in standing:  # perhaps after it was written, before that was recorded
                continue
            elif key in standing and point is not None and same_origin(point, wanted[key]):
                found[key] = "is there and its failure stands"
            elif key in standing and key not in self.catalog.mended:
                found[key] = f"is good and failed as {standing[key].kind}"
            elif point is not None and key not in standing and not same_origin(point, wanted[key]):
                found[key] = "is there as it was, or another"
        return found


def same_origin(point: Point, wanted: Point) -> bool:
    """Whether a point is of the same row and picture as another, and has its vector."""
    made, right = provenance(point.payload), provenance(wanted.payload)
    assert right is not None
    if made is None or (made.key, made.revision, made.content) != (right.key, right.revision, right.content):
        return False
    return point.payload["caption"] == wanted.payload["caption"] and same_point(
        Point(0, point.vector, {}), Point(0, wanted.vector, {})
    )


@lru_cache
def truth(file: Path) -> tuple[Vector, str]:
    """The vector of a good picture, and the digest of its bytes."""
    data = file.read_bytes()
    model = Grid()
    return model.embed_images([model.preprocessing.exact(decode(data, file.name))])[0], content_digest(data)


class Build(Embedding):
    """A build; of every third target some is there before. Until it is caught up it may lack what changed meanwhile."""

    kind = "reembed"
    changes = ("insert at the end", "insert before", "delete", "edit")

    def prepare(self) -> Run:
        plan = self.plan(fills=self.seed % 3 == 2)
        if plan.fills:
            self.fill(0.4)
        return self.submit(self.kind, plan.as_json(), self.catalog.reading.count())

    def own(self, run: Run, store: VectorStore) -> Operation:
        raise NotImplementedError

    def untruths(self) -> list[str]:
        counts, catalog = self.ended.counts, self.catalog
        found = [f"{key} {what}" for key, what in self.differences().items() if key not in catalog.changed]
        settled_well = counts.done + counts.skipped.get(ALREADY_EMBEDDED, 0)
        gone = len(catalog.changed - catalog.keys()) + len(self.schedule.struck)
        if not 0 <= len(self.there()) - settled_well <= gone:
            found.append(f"{settled_well} settled well, {len(self.there())} are there, {gone} left")
        if counts.skipped.get(LEFT_THE_CATALOG, 0) > gone:
            found.append(f"{counts.skipped} skipped, {gone} left")
        return found


class Retrying(Embedding):
    """A retry of everything that failed, of which some was mended, some left the catalog, and one is in quarantine."""

    kind = "retry"
    bad = 4 * len(BAD)
    changes = ("delete", "insert at the end")

    def prepare(self) -> Run:
        self.build_quietly()
        standing = [int(one.key) for one in self.failed.all(self.target)]
        for key in standing:
            if self.dice.random() < 0.6:
                self.catalog.mended[key] = now()
        if len(standing) > 2 and self.seed % 5 == 0:
            self.failed.quarantine(self.target, "jo", keys=[str(self.dice.choice(standing))])
        self.before, self.retried = self.there(), standing
        if not standing:
            return self.submit(self.kind, RetryPlan(self.target, "grid", DIGEST).as_json(), 0)
        return submit_retry(self.store, self.ledger, self.failed, self.target, actor="olga")  # type: ignore[arg-type]

    def own(self, run: Run, store: VectorStore) -> Operation:
        return Retry(RetryPlan.from_json(run.spec), run.id, **self.parts(store), failed=self.failed)

    def untruths(self) -> list[str]:
        counts, there = self.ended.counts, self.there()
        standing = {int(one.key): one for one in self.failed.all(self.target)}
        found = [f"{key} changed" for key, point in self.before.items() if not same_point(point, there[key])]
        wanted = {
            key for key, one in standing.items() if key in self.catalog.mended and not one.quarantined_by
        } - self.catalog.changed
        found += [f"{key} is mended and was not tried" for key in wanted if str(key) not in self.schedule.struck]
        differences = self.differences()
        found += [
            f"{key} {differences[key]}" for key in self.retried if key in differences.keys() - self.catalog.changed
        ]
        embedded = sum(key in there for key in self.retried)
        settled_well = counts.done + counts.skipped.get(ALREADY_EMBEDDED, 0)
        unknown = counts.skipped.get(FAILED_NO_MORE, 0) + counts.skipped.get(LEFT_THE_CATALOG, 0)
        if not settled_well <= embedded <= settled_well + unknown:
            found.append(f"{embedded} embedded, counted as {counts}")
        if counts.skipped.get(QUARANTINED, 0) > 1:
            found.append(f"{counts.skipped} skipped, one is in quarantine")
        return found


class CatchingUp(Embedding):
    """A catch-up of what changed before it began and while it works; every second one carries a signature on."""

    kind = "catch_up"
    changes = APPLICATION

    def prepare(self) -> Run:
        self.build_quietly()
        self.follows = Follows(self.ledger.database)
        self.follow = self.follows.begin(self.target, model="grid", fingerprint=DIGEST, stocked=True)
        for _ in range(self.dice.randint(1, 8)):
            self.catalog.change(self.dice.choice((*APPLICATION, "mend", "mend")), self.dice)
        self.catalog.changed.clear()
        self.expected = signature_of(self._bare, self.target) if self.seed % 4 < 2 else None
        self.acted = 0
        return self._queue()

    def own(self, run: Run, store: VectorStore) -> Operation:
        size = self.dice.randint(1, 6)
        return CatchUp(
            self._comparison(store),
            run.id,
            embedder=lambda: FaultyGrid(self.schedule),
            expected=self.expected,
            then=self._act,
            batch_size=lambda: size,
        )

    def untruths(self) -> list[str]:
        """What changed in the last round may be behind; but for that, and after another one, nothing is."""
        found = [f"{key} {what}" for key, what in self.differences().items() if key not in self.catalog.changed]
        found += self._books(self.ended) + ([] if self.acted else ["what was to follow was not done"])
        self.expected = signature_of(self._bare, self.target) if self.expected else None
        again = self.quietly(self._queue())
        found += [f"{key} {what} after all" for key, what in self.differences().items()] + self._books(again)
        if (lag := measure(self._comparison(self._bare))) != Lag():
            found.append(f"the lag is {lag}")
        return found

    def _books(self, run: Run) -> list[str]:
        result = run.result or {}
        changes = sum(result[name] for name in ("added", "edited", "deleted"))
        found = [] if changes == run.counts.done else [f"{result} of {run.counts}"]
        if self.expected and not Signature.from_json(result["signature"]).same_as(
            signature_of(self._bare, self.target)
        ):
            found.append("the signature is another than the collection's")
        return found

    @property
    def _bare(self) -> Any:
        return self.store

    def _queue(self) -> Run:
        return self.submit(self.kind, {}, (measure(self._comparison(self._bare)) or Lag()).total)

    def _comparison(self, store: VectorStore) -> Comparison:
        return Comparison(
            follow=self.follow,
            catalog=self.catalog.reading,
            images=self.images,
            store=store,
            follows=self.follows,
            failed_among=self.ledger.failed_among,
        )

    def _act(self) -> None:
        self.acted += 1


class Repairing(Embedding):
    """A repair of planted differences, while pictures are deleted and come back."""

    kind = "repair"
    changes = ("delete", "insert at the end", "edit")

    def prepare(self) -> Run:
        self.build_quietly()
        self.records = Differences(self.ledger.database)
        for key in self.catalog.at_start[1:]:
            if self.catalog.kind(key) == "good" and self.dice.random() < 0.6:
                self._damage(
                    key, self.dice.choice(("missing", "extra", "foreign", "stale", "wrong vector", "duplicate"))
                )
        self.check = VerifyPlan(self.target, "grid", DIGEST, Grid.card.dimension, self.plan().part, full=True)
        verification = self.quietly(self.submit("verify", self.check.as_json(), 0, writes=False))
        planted = sum(self.records.counts(verification.id).values())
        plan = RepairPlan(verification.id, self.check, delete_extra=True)
        return self.submit(self.kind, plan.as_json(), planted)

    def own(self, run: Run, store: VectorStore) -> Operation:
        parts = {**self.parts(store), "failed_among": self.ledger.failed_among, "records": self.records}
        if run.kind == "verify":
            return Verify(VerifyPlan.from_json(run.spec), run.id, **parts, pause=lambda _: None, page_size=7)
        plan = RepairPlan.from_json(run.spec)
        return Repair(
            plan, run.id, **parts, then=lambda: verify_again(self.ledger, self.catalog.reading, run, plan.check)
        )

    def untruths(self) -> list[str]:
        changed, struck = self.catalog.changed, {int(key) for key in self.schedule.struck}
        found = [f"{key} {what}" for key, what in self.differences().items() if key not in changed]
        queued = self.ledger.runs(kinds=("verify",), target=self.target, states=(RunState.QUEUED,))
        if len(queued) != 1:
            return [*found, f"{len(queued)} verifications are queued"]
        verdict = self.quietly(queued[0])
        left = {int(one.difference.key) for one in self.records.page(verdict.id, limit=1000)}
        if left - changed - struck:
            found.append(f"the verification still finds {left - changed - struck}")
        if not left and (verdict.result or {})["verdict"] != "green":
            found.append(f"the verdict is {verdict.result}")
        return found

    def _damage(self, key: int, how: str) -> None:
        (right,) = self.points([key]).values()
        match how:
            case "missing":
                self.store.delete(self.target, [right.id])
            case "extra":
                gone = Provenance(str(10**6 + key), "", "", DIGEST, "r-0", "").as_payload()
                self.store.upsert(self.target, [Point(10**6 + key, right.vector, {"caption": "", **gone})])
            case "foreign":
                self.store.upsert(self.target, list(self.points([key], fingerprint="fedcba9876543210").values()))
            case "stale":
                self.catalog.edit(key, self.dice)
            case "wrong vector":
                other = np.roll(right.vector, 7) if right.vector is not None else None
                self.store.upsert(self.target, [Point(right.id, other, right.payload)])
            case _:
                self.store.upsert(self.target, [Point(2 * 10**6 + key, right.vector, right.payload)])
