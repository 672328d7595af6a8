"""The process dies around the one call that moves an alias: search goes on, and the way back is never lost."""

from pathlib import Path

import pytest

from console_core.commands import command
from console_core.console import Console
from console_core.following.follower import Follower
from console_core.migration.records import Stage
from tests.conftest import OPERATOR, finish, migrate
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import opened

OLD, NEW = "images__demo-clip", "images__demo-siglip"


@pytest.fixture
def workspace_ready(workspace: Path, console: Console) -> Path:
    """A closed workspace whose new collection may go live."""
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    console.close()
    return workspace


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_cut_over_that_dies_leaves_the_old_or_the_new_collection_live_and_can_be_completed_and_undone(
    workspace_ready: Path, forks: Forks, moment: str
) -> None:
    died = forks.start("tests.lifecycle.programs:die_moving", str(workspace_ready), "cut_over", moment)
    assert died.wait() == 9, died.stderr.read_text()
    with opened(workspace_ready) as console:
        assert console.store.aliases() == {"images": OLD if moment == "before" else NEW}
        (standing,) = console.standings(console.migrations.all())
        assert standing.stage is (Stage.READY if moment == "before" else Stage.LIVE)
        Follower(console.keeping, lambda: None, interval=0, rest=0).look()
        assert NEW in {follow.collection for follow in console.follows.active()}, "it must still be kept in step"
        if moment == "before":
            command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        command(console, OPERATOR, "roll_back", alias="images")
        assert console.store.aliases() == {"images": OLD}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_rollback_that_dies_is_done_or_can_still_be_done(workspace_ready: Path, forks: Forks, moment: str) -> None:
    with opened(workspace_ready) as console:
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
    died = forks.start("tests.lifecycle.programs:die_moving", str(workspace_ready), "roll_back", moment)
    assert died.wait() == 9, died.stderr.read_text()
    with opened(workspace_ready) as console:
        assert console.store.aliases() == {"images": NEW if moment == "before" else OLD}
        if moment == "before":
            command(console, OPERATOR, "roll_back", alias="images")
        assert console.store.aliases() == {"images": OLD}
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        command(console, OPERATOR, "roll_back", alias="images")
        assert console.store.aliases() == {"images": OLD}
