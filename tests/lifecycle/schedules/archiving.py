"""Schedules over backups, restores and proofs, and what must be in the archive or the collection at their end."""

import uuid
from functools import partial
from pathlib import Path

import numpy as np

from console_core.backup.archive import Archive
from console_core.backup.backups import Backups
from console_core.backup.operation import LEFT_MEANWHILE, BackUp
from console_core.backup.proof import proof_of
from console_core.backup.proving import Prove, scratch_name
from console_core.backup.rebuilding import PASSES
from console_core.backup.restoring import Restore
from console_core.runs.types import Operation, Run, Verb
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId, VectorStore
from tests.lifecycle.schedules.parts import AnyStore, StrictLedger, same, same_point
from tests.lifecycle.schedules.world import World

DIMENSION = 8
PART_BYTES = 400
ODDS = 0.2
"""There are fewer acts in such a run than in one that embeds."""


class Archiving(World):
    """A world with a collection of odd points and a folder for archives."""

    def __init__(self, seed: int, ledger: StrictLedger, store: AnyStore, folder: Path) -> None:
        super().__init__(seed, ledger, store, folder)
        self.numbers = np.random.default_rng(seed)
        self.schedule.odds = ODDS
        self.source, self.backup = f"source-{seed}", f"archive-{seed}"
        self.backups = Backups(folder / "backups")
        self.cancelled = partial(self._is_cancelled, "")

    def _is_cancelled(self, run: str) -> bool:
        return self.ledger.asked(run) is Verb.CANCEL

    def make(self) -> None:
        spec = CollectionSpec(DIMENSION, stamp=ModelStamp("grid", "0123456789abcdef"))
        self.store.create(self.source, spec)
        ids: list[PointId] = [int(one) for one in self.numbers.choice(500, self.dice.randint(0, 40), replace=False)]
        ids += [str(uuid.UUID(int=self.dice.getrandbits(128))) for _ in range(self.dice.randint(0, 6))]
        self.made = {one: self.point(one) for one in ids}
        if ids:
            self.store.upsert(self.source, list(self.made.values()))

    def point(self, identifier: PointId) -> Point:
        vector = self.numbers.normal(size=DIMENSION).astype(np.float32)
        return Point(identifier, vector / np.linalg.norm(vector), {"caption": f"é {identifier}", "n": [1, None]})

    def back_up(self) -> Run:
        spec = {"version": 1, "backup": self.backup}
        return self.submit("backup", spec, len(self.made), target=self.source, writes=False)

    def operation(self, run: Run, store: VectorStore) -> Operation:
        cancelled = partial(self._is_cancelled, run.id)
        match run.kind:
            case "backup":
                return BackUp(store, self.backups, self.source, self.backup, run.id, part_bytes=PART_BYTES)
            case "prove":
                return Prove(store, self.backups, self.backup, run.target, run.id, by="olga", cancelled=cancelled)
            case _:
                return Restore(store, self.backups, self.backup, run.target, cancelled=cancelled)

    def within(self, collection: str) -> dict[PointId, Point]:
        return {point.id: point for point in self.store.scroll(collection, vectors=True)}

    def archived(self) -> dict[PointId, Point]:
        """What is in the archive, all its checks passed."""
        archive = Archive.open(self.backups.folder / self.backup)
        for _ in archive.check():
            pass
        pages = (page for number in range(len(archive.parts)) for page in archive.pages(number))
        return {point.id: point for page in pages for point in page}

    def close(self) -> None:
        for info in self.store.collections():
            if str(self.seed) in (info.name.rpartition("-")[2], info.name.partition("__")[0].rpartition("-")[2]):
                self.store.drop(info.name)


class BackingUp(Archiving):
    """A backup; during every third one the application writes to the collection."""

    kind = "backup"

    def prepare(self) -> Run:
        self.make()
        self.versions: dict[PointId, list[Point | None]] = {}
        self.schedule.changes = 8 * ("write", "delete point") if self.seed % 3 == 1 else ()
        self.schedule.change = self._write
        return self.back_up()

    def untruths(self) -> list[str]:
        archived, there = self.archived(), self.within(self.source)
        steady = archived.keys() - self.versions.keys()
        found = [] if steady == self.made.keys() - self.versions.keys() else [f"{steady} are archived of {self.made}"]
        found += [f"{one} is another" for one in steady & there.keys() if not same_point(archived[one], there[one])]
        for one, versions in self.versions.items():
            known = [self.made.get(one), *versions]
            if one in archived and not any(each and same_point(archived[one], each) for each in known):
                found.append(f"{one} is in the archive as it never was")
        counts, result = self.ended.counts, self.ended.result or {}
        if not counts.done == result.get("points") == len(archived):
            found.append(f"{len(archived)} are archived, {counts} and {result}")
        if counts.skipped.get(LEFT_MEANWHILE, 0) > len(self.versions):
            found.append(f"{counts.skipped} skipped, {len(self.versions)} changed")
        return found

    def _write(self, what: str) -> None:
        there: list[PointId] = list(self.within(self.source))
        if what == "write" or not there:
            identifier: PointId = self.dice.choice([*there, self.dice.randint(0, 600)])
            point = self.point(identifier)
            self.store.upsert(self.source, [point])
            self.versions.setdefault(identifier, []).append(point)
        else:
            identifier = self.dice.choice(there)
            self.store.delete(self.source, [identifier])
            self.versions.setdefault(identifier, []).append(None)


class Restoring(Archiving):
    """A restore of a backup beside what it was made of."""

    kind = "restore"

    def prepare(self) -> Run:
        self.make()
        made = self.quietly(self.back_up())
        assert made.counts.done == len(self.made), made.reason
        self.source_before = self.within(self.source)
        spec = {"version": 1, "backup": self.backup}
        return self.submit(self.kind, spec, PASSES * len(self.made), target=self.where())

    def where(self) -> str:
        return self.target

    def untruths(self) -> list[str]:
        found = [] if same(self.within(self.source), self.source_before) else ["the source is another"]
        if not same(self.within(self.target), self.archived()):
            found.append("the target is not what was archived")
        specs = [self.store.describe(name) for name in (self.source, self.target)]
        if len({(one.dimension, one.distance, one.stamp) for one in specs}) > 1:
            found.append(f"the target is another collection: {specs}")
        return found


class Proving(Restoring):
    """A proof, which takes its scratch collection away again."""

    kind = "prove"

    def where(self) -> str:
        return scratch_name(self.source, f"{self.seed:06x}")

    def untruths(self) -> list[str]:
        found = [] if same(self.within(self.source), self.source_before) else ["the source is another"]
        proof = proof_of(self.backups.folder / self.backup)
        if proof is None or not proof.holds or proof.run != self.ended.id or proof.points != len(self.made):
            found.append(f"the proof is {proof}")
        if not same(self.archived(), self.source_before):
            found.append("the archive is not what was in the source")
        left = [info.name for info in self.store.collections() if info.name == self.ended.target]
        return found + [f"{name} was left" for name in left]
