"""A share of the traffic from the green verdict to the cut-over and back, by commands on a real migration."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import NotAllowed, Refused
from console_core.vectorstore.types import Point
from tests.conftest import OPERATOR, fill, finish, make_workspace, migrate
from tests.lifecycle.workspaces import copied, opened

OLD, NEW = "images__demo-clip", "images__demo-siglip"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NEW is built and verified, and the alias serves OLD."""
    workspace = make_workspace(tmp_path_factory.mktemp("prepared") / "workspace", 12)
    with opened(workspace) as console:
        fill(console, OLD, "demo-clip", alias="images")
        finish(console, command(console, OPERATOR, "verify", collection=migrate(console).target))
    return workspace


@pytest.fixture
def verified(prepared: Path, tmp_path: Path) -> Path:
    return copied(prepared, tmp_path / "verified")


def share(console: Console, percent: float, to: str = NEW, actor: Actor = OPERATOR) -> None:
    command(console, actor, "share", alias="images", to=to, percent=percent)


def journal(console: Console) -> list[tuple[str, str, str]]:
    entries = console.ledger.journal(subject="images")
    return [(entry.actor, entry.action, entry.detail) for entry in entries if entry.action == "share"]


def test_a_share_ends_with_the_cut_over_is_not_revived_by_the_way_back_and_both_are_in_the_journal(
    verified: Path,
) -> None:
    with opened(verified) as console:
        with pytest.raises(NotAllowed, match="share needs admin"):
            share(console, 10, actor=Actor("karl", "operator"))
        share(console, 10)
        share(console, 100, to="")
        assert console.router.route("images", "user-1").collection == NEW
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        assert console.shares.given() == []
        assert console.router.route("images", "user-1").collection == NEW, "as everybody"
        command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
        assert console.router.route("images", "user-1").collection == OLD
        ended = f"The share of {NEW} ended. images was cut over to {NEW}: everybody gets it."
        assert journal(console) == [
            ("the console", "share", ended),
            ("olga", "share", f"100 % of the traffic of images to {NEW}"),
            ("olga", "share", f"10 % of the traffic of images to {NEW}"),
            ("karl", "share", "karl has the role operator, and share needs admin."),
        ]


def test_a_collection_that_has_a_share_is_neither_retired_nor_recreated_and_a_way_back_ends_the_share(
    verified: Path,
) -> None:
    with opened(verified) as console:
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        finish(console, command(console, OPERATOR, "verify", collection=OLD))
        share(console, 10, to=OLD)
        why = "It answers 10 % of the traffic of images: end that."
        with pytest.raises(Refused, match=why):
            command(console, OPERATOR, "retire", collection=OLD, typed=OLD, holding_days=0)
        with pytest.raises(Refused, match=why):
            command(console, OPERATOR, "recreate", collection=OLD, target=NEW, typed=OLD)
        share(console, 0, to=OLD)
        run = command(console, OPERATOR, "retire", collection=OLD, typed=OLD, holding_days=0)
        command(console, OPERATOR, "cancel", run=run.id)
        share(console, 10, to=OLD)
        command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
        assert console.shares.given() == []


def test_a_run_that_retires_looks_once_more_whether_its_collection_has_a_share(verified: Path) -> None:
    with opened(verified) as console:
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        finish(console, command(console, OPERATOR, "verify", collection=OLD))
        run = command(console, OPERATOR, "retire", collection=OLD, typed=OLD, holding_days=0)
        share(console, 10, to=OLD)
        ended = finish(console, run)
        assert "It answers 10 % of the traffic of images" in ended.reason
        assert console.store.count(OLD) == 12


def test_a_collection_that_is_behind_the_catalog_gets_no_share_before_it_has_caught_up(verified: Path) -> None:
    with closing(sqlite3.connect(verified / "catalog.db")) as catalog, catalog:
        catalog.execute("INSERT INTO images VALUES (13, 'user-1', NULL, '0001.jpg', 'new')")
    with opened(verified) as console:
        with pytest.raises(Refused, match=f"{NEW} is behind the catalog"):
            share(console, 10)
        finish(console, command(console, OPERATOR, "catch_up", collection=NEW))
        share(console, 10)
        assert console.router.in_force("images") is not None


def test_the_command_line_shows_a_share_and_what_somebody_gets_and_warns_of_a_stale_verdict(
    verified: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")

    def said(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["--workspace", str(verified), "share", *arguments, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if code == 0 else result.stderr

    nothing = {"alias": "images", "serves": OLD, "to": None, "percent": 0.0, "by": None, "at": None}
    assert said("images") == {**nothing, "ended": "", "warnings": []}
    given = said("images", "--to", NEW, "--percent", "12.5", "--key", "user-17")
    assert (given["to"], given["percent"], given["by"], given["warnings"]) == (NEW, 12.5, "olga", [])
    assert given["caller"]["collection"] == (NEW if given["caller"]["bucket"] < 1250 else OLD)
    with opened(verified) as console:
        (point,) = console.store.retrieve(NEW, [1], vectors=True)
        console.store.upsert(NEW, [Point(999, point.vector, {})])
    shown = said("images")
    assert shown["percent"] == 12.5
    assert shown["warnings"] == [f"{NEW} has 13 points, but 12 when it was verified."]
    assert "is behind the catalog (1 deleted)" in said("images", "--percent", "20", code=1)
    for wrong_number in ("200", "0.001", "nan"):
        assert "is not a share of the traffic" in said("images", "--percent", wrong_number, code=1)
    assert said("images", "--percent", "5")["percent"] == 5
    assert said("images", "--off")["ended"].startswith(f"The share of {NEW} ended")
    assert "There is nothing to end" in said("images", "--off", code=1)
    assert "There is no alias nowhere" in said("nowhere", code=1)
    for wrong in (("--to", NEW), ("--off", "--percent", "5")):
        assert "Usage" in said("images", *wrong, code=2)
