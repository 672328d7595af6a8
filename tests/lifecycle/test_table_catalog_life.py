"""A migration whose catalog is a CSV file with a key of two columns: built, verified, and kept in step with it."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console_core import settings
from console_core.catalog.types import Slice
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.migration.findings import Request
from console_core.migration.preflight import preflight
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import point_id, provenance
from tests.conftest import CONSOLE_TOML, OPERATOR, PICTURES, fill, finish, make_workspace, migrate

HEADING = ("tenant", "number", "small", "large", "caption")
Record = tuple[str, int, str, str, str]


def written(folder: Path, records: list[Record]) -> None:
    draft = folder / "draft"
    with draft.open("w", encoding="utf-8-sig", newline="") as stream:
        csv.writer(stream).writerows([HEADING, *records])
    draft.replace(folder / "images.csv")


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    folder = make_workspace(tmp_path / "workspace")
    with closing(sqlite3.connect(folder / "catalog.db")) as catalog:
        found = [
            (f'say "{user}", {{}}', number, "", path, f"{caption},\nin two lines")
            for number, user, path, caption in catalog.execute("SELECT id, user_id, original_path, caption FROM images")
        ]
    written(folder, found)
    return found


@pytest.fixture
def console(records: list[Record], tmp_path: Path) -> Iterator[Console]:
    folder = tmp_path / "workspace"
    before, after = CONSOLE_TOML.split("[catalog]")[0], CONSOLE_TOML.split("[images]")[1]
    catalog = 'location = "images.csv"\nkey = ["tenant", "number"]\npaths = ["small", "large"]\npayload = ["caption"]\n'
    (folder / settings.FILE).write_text(f'{before}[catalog]\n{catalog}tenant = "tenant"\n[images]{after}')
    opened = open_console(settings.read(folder, {}), owner_name="a test")
    fill(opened, "images__demo-clip", "demo-clip", alias="images")
    yield opened
    opened.close()


def test_a_migration_by_a_file_lives_and_follows_its_changes(console: Console, records: list[Record]) -> None:
    found = preflight(console.preflight_parts(), Request("images", "demo-siglip"))
    assert (found.blocked, found.selected) == (False, PICTURES)
    build = migrate(console)
    assert (build.state, build.counts.done) == (RunState.SUCCEEDED, PICTURES)
    verify = finish(console, command(console, OPERATOR, "verify", collection=build.target))
    assert verify.result is not None
    assert verify.result["verdict"] == "green", verify.result["checks"]

    key = r'["say \"user-1\", {}","7"]'
    [point] = console.store.retrieve(build.target, [point_id(key)])
    made = provenance(point.payload)
    assert made is not None
    assert made.key == key
    assert (point.payload["tenant"], point.payload["caption"]) == ('say "user-1", {}', "square 7,\nin two lines")
    assert console.catalog.count(Slice({"tenant": ('say "user-1", {}',)})) == PICTURES // 3

    edited = [(*record[:4], "edited") if record[1] == 7 else record for record in records if record[1] != 8]
    written(console.settings.workspace, [*edited, ("new", 7, "", "0001.jpg", "added")])
    run = command(console, OPERATOR, "catch_up", collection=build.target)
    assert isinstance(run, Run)
    done = finish(console, run)
    assert done.result is not None
    assert [done.result[change] for change in ("added", "edited", "deleted")] == [1, 1, 1]
    there = {point.id: point.payload for point in console.store.scroll(build.target)}
    assert set(there) == {point_id(row.key) for row in console.catalog.rows()}
    assert there[point_id(key)]["caption"] == "edited"
