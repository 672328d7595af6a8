"""Missing embeddings of a SQL database, filled from start to end by the commands of docs/fill-from-sql.md."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from console_core.vectorstore.provenance import provenance
from tests import how_to
from tests.conftest import ENGINE
from tests.lifecycle.test_dry_run import states
from tests.lifecycle.workspaces import opened
from tests.postgres import Postgres

GUIDE = "fill-from-sql.md"
INSTEAD = {"ViT-B-32/laion2b_s34b_b79k": "demo-clip", "edge:qdrant-edge": "local:qdrant"}
ANN, BEN, CAT = range(1, 13), range(13, 25), range(25, 31)
"""The keys of three users' pictures; cat's are broken."""
READ = {1: "compressed", 2: "original", 3: "file"}
"""Which of the three files of ann's first pictures can be read."""
SCHEMA = (
    "CREATE TABLE images (id INTEGER PRIMARY KEY, user_id TEXT, compressed_path TEXT, original_path TEXT, "
    "file_path TEXT, caption TEXT, embedding {bytes}, embedding_model TEXT)"
)


def _picture(file: Path, seed: int) -> None:
    corners = np.random.default_rng(seed).integers(0, 255, size=(2, 2, 3), dtype=np.uint8)
    Image.fromarray(corners).resize((64, 64), Image.Resampling.BILINEAR).save(file, quality=90)


def _rows(uploads: Path) -> list[tuple[Any, ...]]:
    """The rows of all pictures, whose files are made."""
    uploads.mkdir(parents=True)
    rows: list[tuple[Any, ...]] = []
    for key in (*ANN, *BEN, *CAT):
        names = [f"{kind}-{key}.jpg" for kind in ("compressed", "original", "file")]
        for place, name in enumerate(names):
            _picture(uploads / name, 10 * key + place)
        user = "ann" if key in ANN else "ben" if key in BEN else "cat"
        rows.append((key, user, *names, f"picture {key}"))
    (uploads / "compressed-2.jpg").unlink()
    (uploads / "compressed-3.jpg").write_bytes(b"")
    (uploads / "original-3.jpg").write_text("<html>404</html>")
    for key in CAT:
        for kind in ("compressed", "original", "file"):
            (uploads / f"{kind}-{key}.jpg").write_bytes(b"\xff\xd8\xff broken")
    return rows


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The application as the guide finds it: vectors of an old model in a third of its rows, and none in the others."""
    folder = tmp_path / "workspace"
    rows = _rows(folder / "uploads")
    with closing(sqlite3.connect(folder / "app.db")) as application, application:
        application.execute(SCHEMA.format(bytes="BLOB"))
        application.executemany(f"INSERT INTO images VALUES ({', '.join('?' * 6)}, NULL, NULL)", rows)
        old = np.ones(64, "<f4").tobytes()
        application.execute("UPDATE images SET embedding = ?, embedding_model = 'old' WHERE id % 3 = 0", (old,))
    (configuration,) = how_to.blocks(GUIDE, "toml", {"edge:qdrant-edge": "local:qdrant"})
    (folder / "console.toml").write_text(f'engine = "{ENGINE}"\n{configuration}')
    return folder


def _application(workspace: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(workspace / "app.db")) as application, application:
        return application.execute(statement, values).fetchall()


def _column(workspace: Path, model: str = "demo-clip") -> dict[int, Any]:
    rows = _application(workspace, "SELECT id, embedding FROM images WHERE embedding_model = ?", model)
    return {key: np.frombuffer(vector, "<f4") for key, vector in rows}


def _in_step(workspace: Path) -> set[int]:
    """The keys whose vectors are the same in the table and in the collection, which must be all that either has."""
    with opened(workspace) as console:
        store = {point.id: point.vector for point in console.store.scroll("pictures", vectors=True)}
    column = _column(workspace)
    assert column.keys() == store.keys()
    assert all(np.abs(column[key] - store[key]).max() < 1e-6 for key in column)
    return set(column)


def _told(workspace: Path, *words: str, code: int = 0) -> Any:
    found = how_to.run(workspace, *words, "--json")
    assert found.exit_code == code, found.output
    return json.loads(found.stdout)


class Story:
    """The commands of the guide, one after the other as it has them."""

    def __init__(self, workspace: Path) -> None:
        self._workspace, self.rest = workspace, how_to.commands(GUIDE, INSTEAD)

    def __call__(self, *expected: str, code: int = 0) -> Any:
        """The JSON of the next command, which must begin with these words."""
        words = self.rest.pop(0)
        assert words[: len(expected)] == list(expected)
        if words[0] == "stats" or "--dry-run" in words:  # what changes nothing can be told to a person, too
            assert how_to.done(self._workspace, *(word for word in words if word != "--json")).stdout.strip()
        return _told(self._workspace, *(word for word in words if word != "--json"), code=code)


@pytest.fixture
def story(workspace: Path) -> Story:
    return Story(workspace)


def test_the_guide_from_start_to_end(workspace: Path, story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    found = story("stats")["no collection"]
    assert (found["total"], found["with_embedding"]) == (30, 0)
    assert {name: found["column"][name] for name in ("total", "with_embedding", "without_embedding", "by_model")} == {
        "total": 30,
        "with_embedding": 10,
        "without_embedding": 20,
        "by_model": {"old": 10},
    }

    before = states(workspace)
    found = story("generate", "--into", "pictures")
    assert (found["embed"], found["column"]) == (12, {"no vector": 8, "another model's name": 4})
    assert states(workspace) == before, "a dry run changes no byte and no time"

    found = story("generate", "--into", "pictures")
    assert (found["state"], found["done"], found["embedded"], found["column_rows"]) == ("succeeded", 12, 12, 12)
    assert _in_step(workspace) == set(ANN)
    _assert_the_first_readable_file_was_used(workspace)

    found = story("generate", "--into", "pictures", "--batch", "64", code=1)
    assert (found["state"], found["done"], found["embedded"]) == ("succeeded", 24, 12)
    assert found["failures"] == {"unreadable": 6}
    assert _in_step(workspace) == {*ANN, *BEN}
    assert set(_column(workspace, "old")) == {27, 30}, "rows of broken pictures stay as they are"

    assert {(one["key"], one["kind"]) for one in story("failures")} == {(str(key), "unreadable") for key in CAT}

    for key in CAT:
        _picture(workspace / "uploads" / f"file-{key}.jpg", 10 * key)
    found = story("generate", "--into", "pictures")
    assert (found["done"], found["embedded"], found["column"]) == (30, 6, {"no vector": 4, "another model's name": 2})
    assert _in_step(workspace) == {*ANN, *BEN, *CAT}

    story("alias", "images", "pictures")
    _plant_wrong_vectors_of_the_right_size(workspace)
    found = _told(workspace, "stats")["demo-clip"]["column"]
    assert (found["with_embedding"], found["completed"], found["differing_by"]) == (30, 27, {"another vector": 3})

    found = story("generate", "--dry-run")
    assert (found["collection"], found["embed"], found["column"]) == ("pictures", 0, {"another vector": 3})
    assert _told(workspace, "generate")["column"] == {"another vector": 3}
    assert _in_step(workspace) == {*ANN, *BEN, *CAT}

    found = story("stats")["demo-clip"]
    assert found["column"] == {
        "total": 30,
        "completed": 30,
        "with_embedding": 30,
        "without_embedding": 0,
        "coverage_percentage": 100.0,
        "by_model": {"demo-clip": 30},
        "wrong_length": 0,
        "same": 30,
        "only_in_column": 0,
        "only_in_store": 0,
        "in_neither": 0,
        "differing": 0,
        "differing_by": {},
    }
    assert (found["with_embedding"], found["collection"]) == (30, "pictures")
    monkeypatch.setenv("CONSOLE_ROLE", "viewer")
    assert _told(workspace, "stats")["demo-clip"] == found, "who may only look is told the same"
    assert story.rest == [], "the guide has no command that is not told here"


def _assert_the_first_readable_file_was_used(workspace: Path) -> None:
    with opened(workspace) as console:
        made = {point.id: provenance(point.payload) for point in console.store.retrieve("pictures", list(READ))}
    for key, kind in READ.items():
        origin = made[key]
        assert origin is not None
        files = {one: workspace / "uploads" / f"{one}-{key}.jpg" for one in READ.values()}
        same = [one for one, file in files.items() if file.is_file() and _digest(file) == origin.content]
        assert same == [kind]


def _digest(file: Path) -> str:
    return blake2b(file.read_bytes(), digest_size=16).hexdigest()


def _plant_wrong_vectors_of_the_right_size(workspace: Path) -> None:
    """As if another model of as many numbers had written them, and somebody had set the name for all rows."""
    wrong = np.random.default_rng(9).normal(size=(3, len(_column(workspace)[1]))).astype("<f4")
    for key, vector in zip((4, 15, 28), wrong, strict=True):
        unit = (vector / np.linalg.norm(vector)).astype("<f4").tobytes()
        _application(workspace, "UPDATE images SET embedding = ? WHERE id = ?", unit, key)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--user", "nobody"), "The catalog has no picture whose user_id is nobody."),
        (("--where", "colour=red"), "--where colour=red names no facet of the catalog."),
        (("--where", "user_id"), "Write FACET=VALUE; facets are: user_id."),
        (("--user", "ann", "--where", "user_id=ben"), "--user and --where both choose by user_id."),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["", "dry"])
def test_a_choice_that_means_nothing_is_refused_before_anything_is_done(
    workspace: Path, words: tuple[str, ...], dry: tuple[str, ...], said: str
) -> None:
    found = how_to.run(workspace, "generate", "--into", "p", "--model", "demo-clip", *words, *dry)
    assert found.exit_code == 1
    assert said in found.output
    with opened(workspace) as console:
        assert (console.store.collections(), console.ledger.runs()) == ([], [])


def test_without_an_embedding_column_there_is_nothing_to_generate(workspace: Path) -> None:
    file = workspace / "console.toml"
    file.write_text("\n".join(line for line in file.read_text().splitlines() if not line.startswith("embedding")))
    found = how_to.run(workspace, "generate", "--into", "pictures", "--dry-run")
    assert found.exit_code == 1
    assert "has no embedding column" in found.output
    assert "embedding_model" in found.output


def test_in_postgresql_the_same_is_done_and_told(workspace: Path, postgres: Postgres) -> None:
    rows = [
        (*row, None, None)
        for row in _application(
            workspace,
            "SELECT id, user_id, compressed_path, original_path, file_path, caption FROM images WHERE id <= 6",
        )
    ]
    with postgres.database("guide_c_story") as name:
        with postgres.connect(name) as connection:
            connection.execute(SCHEMA.format(bytes="BYTEA").encode())
            for row in rows:
                connection.execute("INSERT INTO images VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
        url = postgres.url(name).replace("postgresql:", "postgresql+psycopg:")
        file = workspace / "console.toml"
        file.write_text(file.read_text().replace("sqlite:///app.db", url))
        asked = ("generate", "--into", "pictures", "--model", "demo-clip")
        assert _told(workspace, *asked, "--dry-run")["column"] == {"no vector": 6}
        assert _told(workspace, *asked)["done"] == 6
        with postgres.connect(name) as connection:
            connection.execute("UPDATE images SET embedding = substring(embedding from 1 for 16) WHERE id = 2")
            connection.execute("UPDATE images SET embedding_model = 'old' WHERE id = 3")
        found: Mapping[str, Any] = _told(workspace, "stats")["demo-clip"]["column"]
        assert (found["same"], found["wrong_length"], found["by_model"]) == (4, 1, {"demo-clip": 5, "old": 1})
        assert _told(workspace, "generate", "--into", "pictures")["column"] == {
            "another length": 1,
            "another model's name": 1,
        }
        assert _told(workspace, "stats")["demo-clip"]["column"]["completed"] == 6
