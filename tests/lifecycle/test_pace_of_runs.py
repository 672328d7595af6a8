"""A run leaves behind what limited it, whatever embeds and whatever held it up."""

from pathlib import Path

from sqlalchemy import delete, inspect, text

from console_core import database as schema
from console_core.console import Console
from console_core.database import Database
from console_core.engine.limit import limit
from console_core.engine.meter import Stage
from console_core.engine.pace import Pace
from console_core.migration.findings import Request
from console_core.migration.preflight import preflight
from console_core.runs.ledger import Ledger
from console_core.runs.manners import Manners
from console_core.runs.manners_records import DEFAULTS
from console_core.runs.types import Run, RunState
from tests.conftest import PICTURES, migrate
from tests.lifecycle.failing import Rig


def _pace(ledger: Ledger, run: Run) -> Pace:
    recorded = ledger.pace(run.id)
    assert recorded is not None
    assert recorded.attempt == ledger.get(run.id).attempt
    return Pace.from_json(recorded.pace)


def test_a_build_tells_of_every_stage_and_of_who_decoded(rig: Rig) -> None:
    rig.add(50)
    run = rig.build(batch_size=8)
    assert run.state is RunState.SUCCEEDED
    pace = _pace(rig.ledger, run)
    assert list(pace.overall.loads) == list(Stage)
    assert all(load.rate > 0 for load in pace.overall.loads.values())
    assert all(0 <= load.busy <= 1 for load in pace.overall.loads.values())
    assert pace.decoders == {"Pillow": 50}
    assert (pace.process, pace.workers[Stage.WRITE], pace.mode) == (None, 2, "fast")
    assert pace.memory >= pace.memory_before > 0 or pace.memory_before > pace.memory > 0


def test_a_build_of_one_batch_and_a_retry_have_a_pace_too(rig: Rig) -> None:
    rig.add(1)
    (key,) = rig.add(1, good=False)
    first = rig.build()
    assert _pace(rig.ledger, first).overall.loads[Stage.READ].rate > 0
    rig.mend(key)
    again = rig.retry()
    assert again.counts.done == 1
    assert _pace(rig.ledger, again).decoders == {"Pillow": 1}


def test_what_a_run_waited_for_is_its_limit(rig: Rig) -> None:
    rig.add(27)  # the last batch is a short one
    rig.ledger.manners.put(DEFAULTS, Manners(rate=12))
    pace = _pace(rig.ledger, rig.build(batch_size=8))
    assert pace.overall.waits == "rate limit"
    assert limit(pace, ended=True).startswith("Waited for the rate limit: ")


def test_the_memory_that_was_stated_is_in_the_plan(console: Console) -> None:
    run = migrate(console)
    assert run.counts.settled == PICTURES
    pace = _pace(console.ledger, run)
    assert run.spec["memory"] > pace.bound > 1e9, "the store keeps its vectors in memory, too"
    assert pace.workers[Stage.WRITE] == 1
    found = preflight(console.preflight_parts(), Request("images", "demo-siglip"))
    (room,) = (one for one in found.findings if one.code == "room")
    assert found.estimate is not None
    assert f"at most {found.estimate.memory / 1e9:,.1f} GB of memory" in room.message


def test_a_ledger_without_paces_gets_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    old = Database(url)
    Ledger(old)
    with old.transaction() as connection:  # as it was before
        connection.execute(text("DROP TABLE paces"))
        connection.execute(delete(schema.schema_steps).where(schema.schema_steps.c.number == 3))
    old.close()
    assert schema.standing(url) is schema.Standing.BEHIND
    opened = Database(url)
    assert "paces" in inspect(opened.engine).get_table_names()
    assert schema.standing(url) is schema.Standing.UP_TO_DATE
    opened.close()
