# ruff: noqa: T201
"""An application goes on inserting, editing and deleting: through a whole migration, and after a cut-over that is
taken back. At the end nothing differs."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from console_core.catalog.loading import load
from console_core.commands import command
from console_core.console import Console
from console_core.following.follower import Follower
from console_core.following.records import Lag
from console_core.migration.findings import Request
from console_core.rollout.records import Move
from console_core.runs.types import Run, RunState
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.lifecycle.changing import Application
from tests.lifecycle.workspaces import opened

FORMER = "images__demo-clip"
BATCH = 64


@contextmanager
def serving(folder: Path, pictures: int) -> Iterator[tuple[Console, Application]]:
    """A workspace of so many pictures behind `images`, and the application that it belongs to."""
    workspace = make_workspace(folder, pictures)
    with opened(workspace) as console:
        fill(console, FORMER, "demo-clip", alias="images")
        yield console, Application(workspace)


class AtWork:
    """Changes of an application, one before each step of a run, until those for this phase are made."""

    def __init__(self, application: Application) -> None:
        self._application, self.made = application, dict[str, Counter[str]]()

    def during(self, phase: str, **changes: int) -> Callable[[], bool]:
        """What is asked before each step of a run: it never wants it to stop."""
        left = [what for what, number in changes.items() for _ in range(number)]
        self._application.dice.shuffle(left)
        made = self.made.setdefault(phase, Counter())

        def step() -> bool:
            if left:
                what = left.pop()
                getattr(self._application, what)(1)
                made[what] += 1
            return False

        return step


def until_in_step(console: Console, follower: Follower) -> list[Run]:
    """Let the follower look, and do what it queues, until no followed collection is behind."""
    done: list[Run] = []
    for _ in range(10):
        follower.look()
        queued = console.ledger.runs(kinds=("catch_up",), states=(RunState.QUEUED,))
        if not queued and all(follow.lag == Lag() for follow in console.follows.active()):
            return done
        for run in reversed(queued):
            done.append(finish(console, run))
            assert done[-1].state is RunState.SUCCEEDED, done[-1].reason
    raise AssertionError("it never was in step")


def verified(console: Console, collection: str, should_stop: Callable[[], bool] = lambda: False) -> Run:
    """A full verification: every picture is embedded again."""
    run = command(console, OPERATOR, "verify", collection=collection, full=True)
    return finish(console, run, should_stop)


def differences(console: Console, collection: str, model: str) -> dict[str, set[int]]:
    """What a collection lacks, has too much, or has otherwise than catalog and files, without asking a verification."""
    embedder = console.models.get(model)
    rows = {int(row.key): row for row in console.catalog.rows()}
    points = {int(point.id): point for point in console.store.scroll(collection, vectors=True)}
    both = sorted(rows.keys() & points.keys())
    wrong = {key for key in both if not rows[key].payload.items() <= points[key].payload.items()}
    for start in range(0, len(both), BATCH):
        keys = both[start : start + BATCH]
        made = embedder.embed_images(
            [embedder.preprocessing.exact(load(rows[key], console.images).image) for key in keys]
        )
        for key, vector in zip(keys, made, strict=True):
            stored = points[key].vector
            assert stored is not None
            wrong |= {key} if float(vector @ stored) < 0.999 else set()
    return {"missing": rows.keys() - points.keys(), "too many": points.keys() - rows.keys(), "other": wrong}


def test_a_migration_during_which_5_percent_come_2_change_and_2_go_ends_with_no_difference(tmp_path: Path) -> None:
    pictures = 600
    with serving(tmp_path / "workspace", pictures) as (console, application):
        at_work = AtWork(application)
        request = Request("images", "demo-siglip", batch_size=16)
        build = command(console, OPERATOR, "start_migration", request=request).run
        build = finish(console, build, at_work.during("build", insert=14, edit=6, delete=6))
        assert build.state is RunState.SUCCEEDED, build.reason
        follower = Follower(console.keeping, lambda: None, interval=0, rest=0)
        follower.look()
        (run,) = console.ledger.runs(kinds=("catch_up",), states=(RunState.QUEUED,))
        run = finish(console, run, at_work.during("catch-up", insert=8, edit=3, delete=3))
        assert run.state is RunState.SUCCEEDED, run.reason
        early = verified(console, build.target, at_work.during("verification", insert=8, edit=3, delete=3))
        followed = until_in_step(console, follower)
        verdict = verified(console, build.target).result
        assert verdict is not None
        found = differences(console, build.target, "demo-siglip")
        there = {int(point.id) for point in console.store.scroll(build.target)}
        moved = command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    made = sum(at_work.made.values(), Counter[str]())
    print(
        f"{pictures} pictures; meanwhile {dict(made)} ({', '.join(f'{p}: {dict(c)}' for p, c in at_work.made.items())})"
        f"; catch-up in {run.result['rounds'] if run.result else 0} rounds; a full verification meanwhile was "
        f"{(early.result or {})['verdict']}; then {len(followed)} more catch-ups, lag 0; full verification "
        f"{verdict['verdict']}, differences {sum(verdict['differences'].values())}, "
        f"{ {name: len(keys) for name, keys in found.items()} }; "
        f"{len(there & application.deleted)} deleted pictures there, "
        f"{len(application.inserted - application.deleted - there)} inserted ones lost"
    )
    assert made == {"insert": 0.05 * pictures, "edit": 0.02 * pictures, "delete": 0.02 * pictures}
    assert all(set(phase) == {"insert", "edit", "delete"} for phase in at_work.made.values())
    assert verdict["verdict"] == "green"
    assert sum(verdict["differences"].values()) == 0
    assert not any(found.values())
    assert not there & application.deleted
    assert len(there) == verdict["points"] == pictures + made["insert"] - made["delete"]
    assert isinstance(moved, Move)


def test_500_inserts_100_edits_and_100_deletes_after_a_cut_over_are_in_the_former_collection_after_a_rollback(
    tmp_path: Path,
) -> None:
    pictures = 600
    with serving(tmp_path / "workspace", pictures) as (console, application):
        request = Request("images", "demo-siglip", batch_size=BATCH)
        build = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
        finish(console, command(console, OPERATOR, "verify", collection=build.target))
        command(console, OPERATOR, "cut_over", alias="images", to=build.target)
        follower = Follower(console.keeping, lambda: None, interval=0, rest=0)
        for share in (0.5, 0.3, 0.2):
            application.insert(int(500 * share))
            application.edit(int(100 * share))
            application.delete(int(100 * share))
            if share != 0.2:
                until_in_step(console, follower)
        began = time.monotonic()
        run = command(console, OPERATOR, "roll_back", alias="images")
        assert isinstance(run, Run)
        run = finish(console, run)
        took = time.monotonic() - began
        assert run.state is RunState.SUCCEEDED, run.reason
        assert console.store.aliases() == {"images": FORMER}
        verdict = verified(console, "images").result
        assert verdict is not None
        found = differences(console, "images", "demo-clip")
        there = {int(point.id) for point in console.store.scroll(FORMER)}
    print(
        f"{pictures} pictures, cut over, then {len(application.inserted)} inserts, 100 edits and "
        f"{len(application.deleted)} deletes; the rollback had {run.counts.done} of them to catch up ({run.result}) "
        f"and took {took:.1f} s; the former collection: {verdict['mode']} verification {verdict['verdict']}, "
        f"differences {sum(verdict['differences'].values())}, { {name: len(keys) for name, keys in found.items()} }, "
        f"{len(there)} points"
    )
    assert (len(application.inserted), len(application.deleted)) == (500, 100)
    assert 100 < run.counts.done <= 140
    assert sum(verdict["differences"].values()) == 0
    assert not any(found.values())
    assert len(there) == pictures + 500 - 100
