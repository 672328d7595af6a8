"""What is ingested while a collection is migrated, and while its way back is open, reaches both collections."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.catalog.intake import Intake
from console_core.cli.app import app
from console_core.cli.foreground import in_foreground
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.errors import CatalogUnavailable, NotFound
from console_core.following.catch_up import FEW
from console_core.following.comparing import measure
from console_core.following.records import Lag
from console_core.migration.findings import Request
from console_core.migration.ingesting import Wish
from console_core.rollout.records import Move, MoveKind
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.conftest import OPERATOR, fill, finish, make_workspace

OLD, NEW = "images__demo-clip", "images__demo-siglip"
PICTURES = 12


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    folder = make_workspace(tmp_path / "workspace", PICTURES)
    opened = open_console(settings.read(folder, {}), owner_name="a test")
    fill(opened, OLD, "demo-clip", alias="images")
    yield opened
    opened.close()


def delivered(console: Console, name: str, *numbers: int) -> set[str]:
    """A folder with some pictures is ingested through the alias; the keys of its pictures."""
    root = console.settings.image_roots[0]
    (root / name).mkdir()
    for number in numbers:
        shutil.copyfile(root / f"{(number - 1) % PICTURES + 1:04}.jpg", root / name / f"{number}.jpg")
    run = finish(console, command(console, OPERATOR, "ingest", wish=Wish(root / name, "images", namespace="n")))
    assert (run.state, run.counts.done) == (RunState.SUCCEEDED, len(numbers))
    return {f"ingest:n:{name}/{number}.jpg" for number in numbers}


def keys(console: Console, collection: str) -> set[str]:
    return {made.key for point in console.store.scroll(collection) if (made := provenance(point.payload))}


def verdict(console: Console, collection: str) -> dict[str, Any]:
    return dict(finish(console, command(console, OPERATOR, "verify", collection=collection)).result or {})


def cut_over(console: Console) -> None:
    asked = command(console, OPERATOR, "cut_over", alias="images", to=NEW)
    if isinstance(asked, Run):
        ended = finish(console, asked)
        assert ended.state is RunState.SUCCEEDED, ended.reason
    assert console.store.aliases()["images"] == NEW


def behind(console: Console, collection: str) -> Lag | None:
    console.keeping.keep_in_step()
    follow = console.follows.of(collection)
    assert follow is not None
    return measure(console.comparison(follow))


def test_what_is_ingested_while_a_migration_builds_and_waits_is_there_when_the_alias_moves(console: Console) -> None:
    started = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=4))
    looks = iter(range(100))
    half = finish(console, started.run, should_stop=lambda: next(looks) >= 1)
    assert 0 < half.counts.done < PICTURES
    early = delivered(console, "early", 1, 2)
    command(console, OPERATOR, "resume", run=half.id)
    built = finish(console, started.run)
    assert (built.state, built.counts.pending, built.counts.failed) == (RunState.SUCCEEDED, 0, {})
    assert verdict(console, NEW)["verdict"] == "green"
    late = delivered(console, "late", 3)
    assert behind(console, NEW) == Lag(added=1)
    cut_over(console)
    assert keys(console, NEW) == keys(console, OLD) > early | late
    assert verdict(console, NEW)["verdict"] == "green"
    report = dict(finish(console, command(console, OPERATOR, "measure_coverage", collection=NEW)).result or {})
    assert (report["totals"]["embedded"], report["totals"]["missing"], report["orphaned"]) == (PICTURES + 3, 0, 0)


def test_what_is_ingested_after_the_cut_over_is_found_after_a_rollback_too(console: Console) -> None:
    finish(console, command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run)
    assert verdict(console, NEW)["verdict"] == "green"
    cut_over(console)
    later = delivered(console, "later", 4, 5)
    assert later <= keys(console, NEW)
    assert behind(console, OLD) == Lag(added=2)
    finish(console, command(console, OPERATOR, "catch_up", collection=OLD))
    assert later <= keys(console, OLD)
    last = delivered(console, "last", 6)
    finish(console, command(console, OPERATOR, "roll_back", alias="images"))
    assert console.store.aliases()["images"] == OLD
    assert later | last <= keys(console, OLD)
    assert keys(console, OLD) == keys(console, NEW)
    assert verdict(console, OLD)["verdict"] == "green"


def test_an_ingestion_that_was_asked_for_before_the_alias_moved_reaches_the_collection_that_it_leads_to_then(
    console: Console,
) -> None:
    finish(console, command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run)
    assert verdict(console, NEW)["verdict"] == "green"
    root = console.settings.image_roots[0]
    (root / "queued").mkdir()
    shutil.copyfile(root / "0001.jpg", root / "queued" / "1.jpg")
    queued = command(console, OPERATOR, "ingest", wish=Wish(root / "queued", "images"))
    moved = command(console, OPERATOR, "cut_over", alias="images", to=NEW)
    assert isinstance(moved, Move)
    assert moved.kind is MoveKind.CUT_OVER
    finish(console, queued)
    assert behind(console, NEW) == Lag(added=1)
    finish(console, command(console, OPERATOR, "catch_up", collection=NEW))
    assert "ingest:default:queued/1.jpg" in keys(console, NEW) & keys(console, OLD)


def test_what_is_verified_is_compared_with_what_its_own_line_serves_and_a_copy_with_nothing(tmp_path: Path) -> None:
    folder = make_workspace(tmp_path / "workspace", 1)
    with closing(open_console(settings.read(folder, {}), owner_name="a test")) as console:
        for name in ("photos", "photos__former", "copy"):
            console.store.create(name, CollectionSpec(8, stamp=ModelStamp("demo-clip", "f00d")))
        console.intakes.add("photos", Intake("n", "folder", "."), beside=False)
        console.intakes.share("photos__former", "photos", anew=True)
        console.intakes.put_back("copy", console.intakes.ingested("photos"))
        console.store.set_alias("albums", "photos", expected=None)
        runs = [command(console, OPERATOR, "verify", collection=name) for name in ("photos__former", "copy")]
        assert [run.spec["replaces"] for run in runs] == ["photos", ""]


def test_a_folder_that_is_gone_holds_its_line_up_until_a_person_says_that_it_was_deleted(console: Console) -> None:
    finish(console, command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run)
    early, other = delivered(console, "early", 1, 2), delivered(console, "other", 3)
    finish(console, command(console, OPERATOR, "catch_up", collection=NEW))
    assert verdict(console, NEW)["verdict"] == "green"
    cut_over(console)
    root, away = console.settings.image_roots[0], console.settings.workspace / "away"
    shutil.move(root / "early", away)

    (root / "third").mkdir()
    shutil.copyfile(root / "0007.jpg", root / "third" / "7.jpg")
    wish, request = Wish(root / "third", "images", namespace="n"), Request("images", "demo-clip", target="again")
    refused: list[tuple[str, dict[str, Any]]] = [
        ("verify", {"collection": NEW}),
        ("measure_coverage", {"collection": OLD}),
        ("catch_up", {"collection": OLD}),
        ("roll_back", {"alias": "images"}),
        ("start_migration", {"request": request}),
        ("ingest", {"wish": wish}),
    ]
    for name, arguments in refused:
        with pytest.raises(CatalogUnavailable, match=r"was ingested into images.* as n cannot be told.*early") as error:
            command(console, OPERATOR, name, **arguments)
        assert re.search(r"embedding-console ingested \S+ --forget n:early$", error.value.remedy), name
    shutil.move(away, root / "early")
    assert verdict(console, NEW)["verdict"] == "green", "a disk that comes back is all that it takes"
    shutil.move(root / "early", away)

    with pytest.raises(NotFound, match="was not ingested"):
        command(console, OPERATOR, "forget_intake", collection="images", intake="m:early")
    command(console, OPERATOR, "forget_intake", collection="images", intake=f"n:{root / 'early'}")
    assert keys(console, NEW) == keys(console, OLD) > early, "no point was deleted by it"
    assert verdict(console, NEW)["differences"]["extra"] == len(early)
    assert (behind(console, OLD), behind(console, NEW)) == (Lag(deleted=2), Lag(deleted=2))
    finish(console, command(console, OPERATOR, "roll_back", alias="images"))
    assert console.store.aliases()["images"] == OLD
    assert early.isdisjoint(keys(console, OLD))
    assert other <= keys(console, OLD)
    assert finish(console, command(console, OPERATOR, "ingest", wish=wish)).counts.done == 1


def test_what_is_forgotten_is_deleted_as_any_that_left_and_many_only_on_a_persons_word(console: Console) -> None:
    finish(console, command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run)
    many = delivered(console, "many", *range(1, FEW + 2))
    finish(console, command(console, OPERATOR, "catch_up", collection=NEW))
    shutil.rmtree(console.settings.image_roots[0] / "many")
    command(console, OPERATOR, "forget_intake", collection=NEW, intake="n:many")
    stopped = finish(console, command(console, OPERATOR, "catch_up", collection=NEW))
    assert stopped.state is RunState.FAILED
    assert "are not in the catalog any more" in stopped.reason
    assert many < keys(console, NEW)
    finish(console, command(console, OPERATOR, "catch_up", collection=NEW, mass_deletion=True))
    assert len(keys(console, NEW)) == PICTURES


def test_a_queued_ingestion_whose_folder_is_gone_by_then_leaves_the_collection_as_it_is(console: Console) -> None:
    root = console.settings.image_roots[0]
    (root / "short").mkdir()
    shutil.copyfile(root / "0001.jpg", root / "short" / "1.jpg")
    queued = command(console, OPERATOR, "ingest", wish=Wish(root / "short", "images"))
    shutil.rmtree(root / "short")
    assert in_foreground(console, queued, "Ingesting").state is RunState.FAILED, "it is not left as running"
    assert console.intakes.of(OLD) == []
    assert verdict(console, OLD)["verdict"] == "green"


def test_stats_tell_of_the_other_collections_and_a_collection_whose_only_folder_is_forgotten_holds_no_picture(
    console: Console,
) -> None:
    root, workspace = console.settings.image_roots[0], str(console.settings.workspace)
    (root / "gone").mkdir()
    shutil.copyfile(root / "0001.jpg", root / "gone" / "1.jpg")
    finish(console, command(console, OPERATOR, "ingest", wish=Wish(root / "gone", "albums", model="demo-clip")))
    shutil.rmtree(root / "gone")
    console.close()

    def said(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--workspace", workspace, *arguments])

    measured = said("stats", "--json")
    assert measured.exit_code == 1
    assert json.loads(measured.stdout)["demo-clip"]["collection"] == OLD
    assert "albums could not be measured" in measured.stderr
    assert "embedding-console ingested albums --forget default:gone" in measured.stderr
    listed = said("ingested", "albums")
    assert f"default:gone  folder {root / 'gone'}: cannot be read: No such file" in listed.stdout
    assert said("ingested", "albums", "--forget", "default:gone").exit_code == 0
    measured = said("stats", "--json")
    assert measured.exit_code == 0, measured.stderr
    with closing(open_console(settings.read(console.settings.workspace, {}), owner_name="a test")) as opened:
        assert (opened.catalog_of("albums").count(), opened.catalog_of(OLD).count()) == (0, PICTURES)
        assert verdict(opened, "albums")["differences"]["extra"] == 1
