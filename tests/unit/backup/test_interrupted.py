# ruff: noqa: T201
"""Whatever call a backup, a proof or a restore dies in, right before or right after it: resumed, it ends the same."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from console_core.backup import parts
from console_core.backup.operation import BackUp
from console_core.backup.proving import Prove
from console_core.backup.restoring import Restore
from console_core.errors import BackupError, BackupUnavailable
from console_core.runs.types import Counts, Operation
from console_core.vectorstore.signature import signature_of
from tests.unit.backup.conftest import World

POINTS = 70
SCRATCH = "images__proof-abcdef"


class Died(BaseException):
    """As if the process had been killed: nothing catches it."""


class Deadly:
    """Counts calls of a store and of the file system, and dies before or after the n-th."""

    def __init__(self, at: int, after: bool) -> None:
        self.at, self.after, self.calls = at, after, 0

    def around(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        mine = self.calls == self.at
        if mine and not self.after:
            raise Died
        result = call(*arguments, **named)
        if mine:
            raise Died
        return result


class DeadlyStore:
    """A store whose every call is counted."""

    def __init__(self, store: Any, deadly: Deadly) -> None:
        self._store, self._deadly = store, deadly

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return (lambda *a, **k: self._deadly.around(found, *a, **k)) if callable(found) and name != "info" else found


@contextmanager
def _deadly_files(deadly: Deadly) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        replace, rmtree = Path.replace, shutil.rmtree
        patch.setattr(Path, "replace", lambda *a: deadly.around(replace, *a))
        patch.setattr(shutil, "rmtree", lambda *a, **k: deadly.around(rmtree, *a, **k))
        yield


def _deaths(build: Callable[[Any], Operation], store: Any, check: Callable[[], None]) -> int:
    """One life that dies in its first call, one that dies in its second, …; each is gone on from to the end.

    `check` looks at what became of it, and takes it away. The number of deaths.
    """
    deaths = 0
    for after in (False, True):
        for at in count(1):
            checkpoint, counts, died = "", Counts(), False
            deadly = Deadly(at, after)
            try:
                with _deadly_files(deadly):
                    for progress in build(DeadlyStore(store, deadly)).steps("", counts):
                        checkpoint, counts = progress.checkpoint, progress.counts
            except Died:
                died = True
            if not died:
                check()
                break
            deaths += 1
            for progress in build(store).steps(checkpoint, counts):
                assert progress.counts.done >= counts.done
                counts = progress.counts
            assert counts.pending == 0
            check()
    return deaths


def test_a_backup_that_dies_in_any_call_is_gone_on_from_and_is_the_same(world: World) -> None:
    world.made(count=POINTS)

    def build(store: Any) -> BackUp:
        return BackUp(store, world.backups, "images", "images-x", "r", part_bytes=4_000)

    def check() -> None:
        archive = world.backups.open("images-x")
        assert sum(archive.check()) == POINTS
        assert archive.signature.same_as(signature_of(world.store, "images"))
        files = {"manifest.json", *(part.file for part in archive.parts)}
        assert {file.name for file in archive.folder.iterdir()} == files
        world.backups.delete("images-x")

    deaths = _deaths(build, world.store, check)
    print(f"\n{deaths} deaths in calls of a backup")
    assert deaths > 20


@pytest.mark.parametrize("kind", ["prove", "restore"])
def test_a_proof_or_restore_that_dies_in_any_call_is_gone_on_from_and_ends_the_same(world: World, kind: str) -> None:
    world.made(count=POINTS)
    backup = world.back_up()

    def build(store: Any) -> Operation:
        if kind == "prove":
            return Prove(store, world.backups, backup, SCRATCH, "r")
        return Restore(store, world.backups, backup, "images-2")

    def check() -> None:
        assert world.backups.get(backup).proven == (kind == "prove")
        if kind == "prove":
            (world.backups.folder / backup / "proof.json").unlink()
        else:
            assert signature_of(world.store, "images-2").same_as(signature_of(world.store, "images"))
            world.store.drop("images-2")
        assert {info.name for info in world.store.collections()} == {"images"}

    deaths = _deaths(build, world.store, check)
    print(f"\n{deaths} deaths in calls of a {kind}")
    assert deaths > 20


def test_a_paused_proof_keeps_its_scratch_and_a_cancelled_one_takes_it_away(world: World) -> None:
    world.made()
    backup = world.back_up()
    for cancelled in (False, True):
        operation = Prove(world.store, world.backups, backup, SCRATCH, "r", cancelled=partial(bool, cancelled))
        steps: Any = operation.steps("", Counts())
        while SCRATCH not in {info.name for info in world.store.collections()}:
            next(steps)
        next(steps)
        steps.close()
        assert (SCRATCH in {info.name for info in world.store.collections()}) == (not cancelled)
        if not cancelled:
            world.store.drop(SCRATCH)


def test_a_backup_whose_parts_were_deleted_meanwhile_is_not_gone_on_with(world: World) -> None:
    world.made()
    operation = BackUp(world.store, world.backups, "images", "images-x", "r", part_bytes=4_000)
    steps: Any = operation.steps("", Counts())
    next(steps)
    progress = next(steps)
    steps.close()
    (world.backups.folder / "images-x" / parts.part_file(0)).unlink()
    with pytest.raises(BackupUnavailable, match="are missing"):
        next(iter(operation.steps(progress.checkpoint, progress.counts)))


def test_a_collection_that_was_made_anew_meanwhile_is_not_mixed_into_a_backup(world: World) -> None:
    world.made(distance="dot")
    operation = BackUp(world.store, world.backups, "images", "images-x", "r", part_bytes=4_000)
    steps: Any = operation.steps("", Counts())
    progress = next(steps)
    steps.close()
    world.store.drop("images")
    world.made(distance="cosine")
    with pytest.raises(BackupError, match="not the collection any more"):
        next(iter(operation.steps(progress.checkpoint, progress.counts)))


def test_a_deletion_that_died_is_finished_and_never_shows_half_a_backup(world: World) -> None:
    world.made(count=40)
    backup = world.back_up()
    with _deadly_files(Deadly(1, after=False)), pytest.raises(Died):
        world.backups.delete(backup)
    assert world.backups.all() == []
    assert list(world.backups.folder.iterdir())
    world.backups.sweep()
    assert list(world.backups.folder.iterdir()) == []
