# ruff: noqa: T201
"""Killed -9 between any two of store, column and ledger, a generation goes on and all three agree in the end."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from console_core import settings
from console_core.commands import command
from console_core.console import Console
from console_core.migration.generate import COLUMN, EMBEDDED
from console_core.runs.accounting import check
from console_core.runs.types import RESUMABLE, RunState
from console_core.vectorstore.types import Vector
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import opened

TARGET, MODEL, BATCH, PICTURES = "images__demo-clip", "demo-clip", 6, 42
BORDERS = (("write", "before"), ("column", "before"), ("record", "before"), ("record", "after"))
"""Before the store has a batch; after it, before the column; after that, before the ledger; after all of them."""


def with_column(folder: Path) -> Path:
    """A workspace whose table keeps vectors: old ones of another model in every third row, and none in the others."""
    make_workspace(folder, PICTURES)
    file = folder / settings.FILE
    told = 'facets = ["user_id"]\nembedding = "embedding"\nembedding_model = "embedding_model"'
    file.write_text(file.read_text().replace('facets = ["user_id"]', told))
    with closing(sqlite3.connect(folder / "catalog.db")) as catalog, catalog:
        catalog.execute("ALTER TABLE images ADD embedding BLOB")
        catalog.execute("ALTER TABLE images ADD embedding_model TEXT")
        catalog.execute("UPDATE images SET embedding = zeroblob(512), embedding_model = 'old' WHERE id % 3 = 0")
    return folder


def in_column(workspace: Path, model: str = MODEL) -> dict[int, Vector]:
    """The vectors that the rows say are this model's."""
    with closing(sqlite3.connect(workspace / "catalog.db")) as catalog:
        found = catalog.execute("SELECT id, embedding FROM images WHERE embedding_model = ?", (model,))
        return {int(key): np.frombuffer(vector, "<f4") for key, vector in found}


def in_store(console: Console, collection: str = TARGET) -> dict[int, Vector]:
    points = console.store.scroll(collection, vectors=True)
    return {int(point.id): point.vector for point in points if point.vector is not None}


def part_of(column: dict[int, Vector], store: dict[int, Vector]) -> bool:
    """But for the last bits, that an embedded store reads differently each time it is opened."""
    return all(key in store and float(np.abs(store[key] - vector).max()) < 1e-6 for key, vector in column.items())


def test_after_a_cut_over_the_column_gets_the_vectors_of_the_model_that_is_served_now(tmp_path: Path) -> None:
    workspace = with_column(tmp_path / "workspace")
    with opened(workspace) as console:
        fill(console, TARGET, MODEL, alias="images")
        first = finish(console, command(console, OPERATOR, "generate"))
        assert part_of(in_column(workspace), in_store(console))
        fill(console, "images__demo-siglip", "demo-siglip")
        console.store.set_alias("images", "images__demo-siglip", expected=TARGET)
        run = finish(console, command(console, OPERATOR, "generate"))
        assert (first.target, run.target) == (TARGET, "images__demo-siglip")
        assert run.result is not None
        assert (run.result[EMBEDDED], run.result[COLUMN]) == (0, {"another model's name": PICTURES})
        column, store = in_column(workspace, "demo-siglip"), in_store(console, "images__demo-siglip")
    assert part_of(column, store)
    assert len(column) == PICTURES


def test_killed_at_every_border_of_store_column_and_ledger_a_generation_resumes_exactly(
    tmp_path: Path, forks: Forks
) -> None:
    workspace, log = with_column(tmp_path / "workspace"), tmp_path / "written.log"
    asked = {"into": TARGET, "model": MODEL, "batch_size": BATCH}
    with opened(workspace) as console:
        run = command(console, OPERATOR, "generate", **asked)
    seen: set[int] = set()
    for stage, moment in BORDERS:
        log.write_text("")
        arguments = str(workspace), run.id, stage, "2", moment, str(log)
        process = forks.start("tests.lifecycle.stage_death:die_in", *arguments)
        assert process.wait() == -9, process.stderr.read_text()
        with opened(workspace) as console:
            found, column, store = console.ledger.get(run.id), in_column(workspace), in_store(console)
        assert check(found.counts) == ""
        assert found.state in RESUMABLE
        assert part_of(column, store), "the column has nothing that the store has not"
        assert found.counts.done <= len(column), "the books have nothing that the column has not"
        print(f"killed {moment} {stage}: store {len(store)}, column {len(column)}, books {found.counts.done}")
        batches = [set(json.loads(line)) for line in log.read_text().splitlines()]
        assert sum(len(batch & seen) for batch in batches) <= BATCH, "of more than one batch was embedded twice"
        seen |= set().union(*batches)
    with opened(workspace) as console:
        ended = finish(console, command(console, OPERATOR, "resume", run=run.id))
        column, store = in_column(workspace), in_store(console)
    assert (ended.state, ended.reason) == (RunState.SUCCEEDED, "42 of 42 pictures brought in step.")
    assert part_of(column, store)
    assert column.keys() == store.keys() == set(range(1, PICTURES + 1))
    assert ended.result is not None
    assert ended.result[EMBEDDED] == PICTURES
    told = ended.result[COLUMN]
    assert told.keys() == {"no vector", "another model's name"}
    assert PICTURES - BATCH <= sum(told.values()) <= PICTURES, "all but what was written and not recorded"
