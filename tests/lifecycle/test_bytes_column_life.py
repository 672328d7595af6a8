"""A column of bytes in the application's own SQLite table gets another model, beside the one that is read."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from console_core import settings
from console_core.commands import command
from console_core.errors import Refused
from console_core.migration.findings import Request
from console_core.runs.types import RESUMABLE, RunState
from tests.conftest import OPERATOR, PICTURES, finish
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import opened

OLD, NEW, SERVED = "images.embedding_128", "images.embedding__demo-siglip", "images.embedding"


@pytest.fixture
def application(workspace: Path) -> Path:
    """A workspace whose store is the application's own database, with demo-clip's vectors in a column of its table."""
    file = workspace / settings.FILE
    text = file.read_text().replace("local:qdrant", "sqlite:///catalog.db")
    file.write_text(f"{text}\n[store.tables.images]\n")
    with closing(sqlite3.connect(workspace / "catalog.db")) as app, app:
        app.execute("ALTER TABLE images ADD COLUMN embedding BLOB")
    with opened(workspace) as console:
        embedder = console.models.get("demo-clip")
        for row in console.catalog.rows():
            picture = Image.open(workspace / "images" / row.candidates[-1]).convert("RGB")
            made = embedder.embed_images([embedder.preprocessing.exact(picture)])[0]
            with closing(sqlite3.connect(workspace / "catalog.db")) as app, app:
                app.execute("UPDATE images SET embedding = ? WHERE id = ?", (made.astype("<f4").tobytes(), row.key))
    return workspace


def _read(workspace: Path) -> dict[int, np.ndarray]:
    """What the application reads."""
    with closing(sqlite3.connect(workspace / "catalog.db")) as app:
        return {key: np.frombuffer(data, "<f4") for key, data in app.execute("SELECT id, embedding FROM images")}


def test_the_column_is_migrated_beside_itself_though_the_build_is_killed_and_the_way_back_is_kept(
    forks: Forks, application: Path
) -> None:
    before = _read(application)
    with opened(application) as console:
        command(console, OPERATOR, "stamp", collection=SERVED, model="demo-clip")
        request = Request(SERVED, "demo-siglip", batch_size=8)
        run = command(console, OPERATOR, "start_migration", request=request).run
        assert run.target == NEW
    died = forks.start("tests.lifecycle.programs:die_working", str(application), run.id, "after", "3", str(2**20))
    assert died.wait() == -9, died.stderr.read_text()
    with opened(application) as console:
        assert console.ledger.get(run.id).state in RESUMABLE
        build = finish(console, command(console, OPERATOR, "resume", run=run.id))
        assert (build.state, build.counts.done, build.counts.pending) == (RunState.SUCCEEDED, PICTURES, 0), build.reason
        assert {key: data.tobytes() for key, data in _read(application).items()} == {
            key: data.tobytes() for key, data in before.items()
        }
        verified = finish(console, command(console, OPERATOR, "verify", collection=NEW))
        assert verified.result is not None
        assert verified.result["verdict"] == "green", verified.result["checks"]
        with pytest.raises(Refused, match="columns change names at a cut-over"):
            command(console, OPERATOR, "share", alias=SERVED, to=NEW, percent=10)
        command(console, OPERATOR, "cut_over", alias=SERVED, to=NEW)
        assert {data.shape for data in _read(application).values()} == {(192,)}
        command(console, OPERATOR, "roll_back", alias=SERVED)
    for key, data in _read(application).items():
        np.testing.assert_array_equal(data, before[key])
