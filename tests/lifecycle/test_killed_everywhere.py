# ruff: noqa: T201
"""Every operation is killed with -9 before and after everything that it makes durable: search goes on as it was, and
the next owner brings it to the same end as if nothing had been.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from console_core.backup import operation
from console_core.commands import command
from console_core.migration.findings import Request
from console_core.rollout.expected import expected_signature
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import Point
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.lifecycle.changing import Application
from tests.lifecycle.dying import PART_BYTES
from tests.lifecycle.forking import Forks
from tests.lifecycle.killing import CHECKED_AT_ONCE, CHECKED_AT_THE_END, Killing, Questions
from tests.lifecycle.replaced import NEW, beside, proven
from tests.lifecycle.workspaces import copied, opened

PICTURES = 24
OLD = "images__demo-clip"
OPERATIONS = (
    "backup",
    "proof",
    "restore",
    "re-embed",
    "catch-up",
    "cut-over",
    "cut-over after a catch-up",
    "rollback",
    "rollback after a catch-up",
    "recreate",
    "retire",
)


@pytest.fixture(scope="module")
def _small_parts() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operation, "PART_BYTES", PART_BYTES)
        yield


class Stages:
    """Workspaces in which each operation is about to begin, made from one another, and closed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.killings = folder, dict[str, Killing]()
        self.at = make_workspace(folder / "workspace", PICTURES)

    def keep(self, name: str, *, leads_to: str = "", **action: object) -> None:
        """Keep a copy of the workspace as it is, closed, as the beginning of an operation."""
        self.killings[name] = Killing(name, copied(self.at, self.folder / name.replace(" ", "-")), action, leads_to)


def _backups(stages: Stages) -> None:
    with opened(stages.at) as console:
        fill(console, OLD, "demo-clip", alias="images")
    plain = copied(stages.at, stages.folder / "plain")
    for name, arguments in (("back_up", {"collection": OLD}), ("prove", {}), ("restore", {"into": "images-back"})):
        with opened(stages.at) as console:
            if name != "back_up":
                arguments = {**arguments, "backup": console.backups.all()[0].id}
            run = command(console, OPERATOR, name, **arguments)
        stages.keep({"back_up": "backup", "prove": "proof"}.get(name, name), run=run.id)
        with opened(stages.at) as console:
            finish(console, run)
    stages.at = plain


def _changed(stages: Stages) -> None:
    """What an application does meanwhile; one of its pictures cannot be read."""
    application = Application(stages.at)
    application.insert(5)
    application.edit(3)
    application.delete(3)
    _unreadable(stages, application)


def _unreadable(stages: Stages, application: Application) -> Path:
    [bad] = application.insert(1)
    file = stages.at / "images" / f"{bad:04}.jpg"
    file.write_bytes(b"no picture")
    return file


def _migration(stages: Stages) -> None:
    with opened(stages.at) as console:
        started = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=8))
    stages.keep("re-embed", run=started.run.id)
    with opened(stages.at) as console:
        finish(console, started.run)
        finish(console, command(console, OPERATOR, "verify", collection=NEW))
        console.keeping.keep_in_step()
    live = copied(stages.at, stages.folder / "live")
    mended = _unreadable(stages, Application(stages.at))
    with opened(stages.at) as console:
        finish(console, command(console, OPERATOR, "catch_up", collection=NEW))
        assert console.failed.counts(NEW) == {"unsupported": 1}
    mended.write_bytes((stages.at / "images" / "0001.jpg").read_bytes())
    _changed(stages)
    with opened(stages.at) as console:
        caught_up = command(console, OPERATOR, "catch_up", collection=NEW)
    stages.keep("catch-up", run=caught_up.id)
    with opened(stages.at) as console:
        command(console, OPERATOR, "cancel", run=caught_up.id)
        run = command(console, OPERATOR, "cut_over", alias="images", to=NEW)
    stages.keep("cut-over after a catch-up", run=run.id)
    stages.at = live
    stages.keep("cut-over", command="cut_over", arguments={"alias": "images", "to": NEW}, leads_to=NEW)


def _way_back(stages: Stages) -> None:
    with opened(stages.at) as console:
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
    served = copied(stages.at, stages.folder / "served")
    _changed(stages)
    with opened(stages.at) as console:
        run = command(console, OPERATOR, "roll_back", alias="images")  # takes stock, catches up, and moves the alias
    stages.keep("rollback after a catch-up", run=run.id)
    stages.at = served
    with opened(stages.at) as console:
        finish(console, command(console, OPERATOR, "catch_up", collection=OLD))
    stages.keep("rollback", command="roll_back", arguments={"alias": "images"}, leads_to=OLD)


def _retirement(stages: Stages) -> None:
    _unreadable(stages, Application(stages.at))
    with opened(stages.at) as console:
        finish(console, command(console, OPERATOR, "catch_up", collection=OLD))
        proven(console, OLD)
        assert console.failed.counts(OLD) == {"unsupported": 1}
        assert OLD in {follow.collection for follow in console.follows.active()}
        run = command(console, OPERATOR, "retire", collection=OLD, typed=OLD)
    stages.keep("retire", run=run.id)


def _recreation(stages: Stages) -> None:
    stages.at = make_workspace(stages.folder / "in-place", PICTURES)
    with opened(stages.at) as console:
        fill(console, "images", "demo-clip")
        beside(console)
        proven(console, "images")
        run = command(console, OPERATOR, "recreate", collection="images", target=NEW, typed="images")
    stages.keep("recreate", run=run.id)


@pytest.fixture(scope="module")
def killings(tmp_path_factory: pytest.TempPathFactory, _small_parts: None) -> Mapping[str, Killing]:
    stages = Stages(tmp_path_factory.mktemp("stages"))
    for prepare in (_backups, _migration, _way_back, _retirement, _recreation):
        prepare(stages)
    assert set(stages.killings) == set(OPERATIONS)
    return stages.killings


@pytest.fixture(scope="module")
def borders(
    killings: Mapping[str, Killing], forks: Forks, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[str]]:
    """What each operation makes durable, in order."""
    folder = tmp_path_factory.mktemp("borders")
    return {name: killings[name].borders(forks, folder / str(n)) for n, name in enumerate(OPERATIONS)}


@pytest.fixture(scope="module")
def questions() -> Questions:
    return Questions()


@pytest.mark.parametrize("name", OPERATIONS)
def test_killed_before_and_after_everything_that_it_makes_durable_an_operation_ends_as_if_nothing_had_been(
    name: str,
    killings: Mapping[str, Killing],
    borders: Mapping[str, list[str]],
    forks: Forks,
    tmp_path: Path,
    questions: Questions,
) -> None:
    kills = killings[name].everywhere(forks, tmp_path, questions, borders[name])
    print(f"\n{name}: {kills} kills")
    assert kills == len(borders[name]) + 1


def test_there_are_at_least_sixty_points_to_be_killed_at(borders: Mapping[str, list[str]]) -> None:
    total = 0
    for name, met in borders.items():
        kinds = Counter(border.split(":")[0] for border in met)
        told = ", ".join(f"{number} × {kind}" for kind, number in sorted(kinds.items()))
        total += len(met) + 1
        print(f"{name:26} {len(met) + 1:3} points (before {told}; after the last)")
    print(f"{'total':26} {total:3} points")
    print(f"checked at each as soon as the next owner has opened the workspace: {CHECKED_AT_ONCE}")
    print(f"checked at each at the end, against an undisturbed run: {CHECKED_AT_THE_END}")
    assert total >= 60


def test_a_catch_up_that_was_killed_anywhere_and_is_called_off_leaves_a_verdict_that_holds(
    killings: Mapping[str, Killing], borders: Mapping[str, list[str]], forks: Forks, tmp_path: Path
) -> None:
    catch_up = killings["catch-up"]
    for number, border in enumerate(borders["catch-up"][2:], start=3):
        workspace = copied(catch_up.base, tmp_path / str(number))
        catch_up.life(forks, workspace, number)
        with opened(workspace) as console:
            moved = command(console, OPERATOR, "cut_over", alias="images", to=NEW)  # calls off what has stopped
            if isinstance(moved, Run):
                moved = finish(console, moved)
                assert moved.state is RunState.SUCCEEDED, f"before {border}: {moved.reason}"
            assert console.store.aliases() == {"images": NEW}
            expected = expected_signature(console.ledger, console.store, NEW)
            assert expected is not None
            assert expected.same_as(signature_of(console.store, NEW)), border
            point = next(console.store.scroll(NEW, vectors=True))
            console.store.upsert(NEW, [Point(point.id, point.vector, {**point.payload, "caption": "meddled with"})])
            assert not expected.same_as(signature_of(console.store, NEW))
