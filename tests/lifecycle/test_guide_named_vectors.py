"""docs/named-vectors.md from start to end: a second model in the collection that is searched, and killed on the way."""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from qdrant_client import QdrantClient, models

from console_core import settings
from console_core.embedding.cards import CARDS
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.types import CollectionSpec, Point
from tests.conftest import PICTURES, fill, make_workspace
from tests.how_to import blocks, commands, done, run
from tests.lifecycle.forking import Forked, Forks
from tests.lifecycle.workspaces import opened
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

GUIDE = "named-vectors.md"
INSTEAD = {"siglip-vit-b-16-webli": "demo-siglip", "clip-vit-b-32-openai": "demo-clip"}
"""The guide's models, and small ones that are here."""
MODELS = {"clip": "demo-clip", "siglip": "demo-siglip"}
PICTURE, NEW = 7, 1000


class Deadly(LoopbackQdrant):
    """A server that does half of the first vectors that `victim` writes, and then kills it."""

    victim: Forked | None = None

    def answer(self, method: str, path: str, body: Any) -> Any:
        if self.victim is not None and "points/batch" in path:
            victim, self.victim = self.victim, None
            os.kill(victim.pid, signal.SIGKILL)
            updated = body["operations"][-1]["update_vectors"]
            updated["points"] = updated["points"][: PICTURES // 2]
        return super().answer(method, path, body)


@dataclass
class Guided:
    """A workspace as the guide says, and the application beside it, which knows nothing of the console."""

    workspace: Path
    server: Deadly
    app: QdrantClient
    queries: dict[str, list[float]]

    def near(self) -> list[int]:
        """What the application finds for one of its pictures, as the guide lets it search."""
        (code,) = blocks(GUIDE, "python")
        told: dict[str, Any] = {"client": self.app, "text": "", "EMBED": {name: self._embed(name) for name in MODELS}}
        exec(code, told)
        return [hit.id for hit in told["hits"]]

    def _embed(self, name: str) -> Any:
        return lambda text: self.queries[name]

    def all(self, vector: str) -> dict[int, tuple[bytes, dict[str, Any]]]:
        """Every point that has a vector, with that to the last bit and what the application wrote beside it."""
        found = {}
        for record in self.app.scroll("images", limit=1000, with_vectors=True)[0]:
            vectors: Any = record.vector
            if vector in vectors:
                row = np.asarray(vectors[vector], dtype=np.float32)
                found[int(record.id)] = row.tobytes(), application_payload(record.payload or {})
        return found


@pytest.fixture
def guided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guided]:
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    workspace = make_workspace(tmp_path / "workspace")
    server = Deadly()
    with server.running():
        file = workspace / settings.FILE
        file.write_text(file.read_text().replace("local:qdrant", server.url))
        queries, app = {}, QdrantClient(url=server.url, check_compatibility=False)
        with opened(workspace) as console:
            for name, model in MODELS.items():
                embedder = console.models.get(model)
                pictures = [workspace / "images" / f"{number:04}.jpg" for number in range(1, PICTURES + 1)]
                images = [embedder.preprocessing.exact(Image.open(one).convert("RGB")) for one in pictures]
                vectors = embedder.embed_images(images)
                queries[name] = vectors[PICTURE - 1].tolist()
                if name == "clip":
                    # By the cosine the loopback server's engine would round anew what it searches, at every search.
                    size = models.VectorParams(size=vectors.shape[1], distance=models.Distance.DOT)
                    server.engine.create_collection("images", vectors_config={"clip": size})
                    points = [
                        models.PointStruct(id=n, vector={"clip": row.tolist()}, payload={"caption": f"square {n}"})
                        for n, row in enumerate(vectors, start=1)
                    ]
                    server.engine.upsert("images", points)
        yield Guided(workspace, server, app, queries)


def test_the_guide_works_from_start_to_end_while_the_application_searches(guided: Guided, forks: Forks) -> None:
    assert INSTEAD.keys() <= {card.key for card in CARDS}
    collections, alias, stamp, plan, migrate, cutover, rollback, again, backup, retire = commands(GUIDE, INSTEAD)
    [whole] = json.loads(done(guided.workspace, *collections, "--json").stdout)
    assert (whole["name"], whole["points"]) == ("images", PICTURES)
    done(guided.workspace, *alias)
    done(guided.workspace, *stamp)
    before, near = guided.all("clip"), guided.near()
    assert near[0] == PICTURE

    stop, seen, failed = threading.Event(), set[tuple[int, ...]](), list[BaseException]()

    def search() -> None:
        try:
            while not stop.wait(0.02):
                seen.add(tuple(guided.near()))
        except BaseException as error:
            failed.append(error)

    application = threading.Thread(target=search)
    application.start()
    try:
        found = json.loads(done(guided.workspace, *plan, "--json").stdout)
        warned = {one["code"]: one["message"] for one in found["findings"] if one["severity"] == "warn"}
        assert "Qdrant server 1.20.0" in warned["named-vector"]
        assert (found["target"], guided.server.engine.count("images").count) == ("images@siglip", PICTURES)

        killed = forks.start(
            "tests.lifecycle.programs:cli", "--workspace", str(guided.workspace), *migrate, environment=dict(os.environ)
        )
        guided.server.victim = killed
        assert killed.wait() == -signal.SIGKILL, killed.stderr.read_text()
        assert len(guided.all("siglip")) == PICTURES // 2
        assert guided.all("clip") == before
        [stopped] = json.loads(done(guided.workspace, "runs", "--json").stdout)
        built = json.loads(done(guided.workspace, "resume", stopped["run"], "--json").stdout)
        assert (built["state"], built["verdict"], built["done"]) == ("succeeded", "green", PICTURES)
        assert seen == {tuple(near)}

        done(guided.workspace, *cutover)
        after = guided.near()
        assert after[0] == PICTURE
        done(guided.workspace, *rollback)
        assert guided.near() == near
        done(guided.workspace, *again)
        refused = run(guided.workspace, "retire", "images@siglip", "--confirm", "images@siglip")
        assert refused.exit_code == 1
        assert guided.all("clip") == before
        done(guided.workspace, *backup)
        done(guided.workspace, *retire)
        assert guided.near() == after
    finally:
        stop.set()
        application.join()
    assert failed == []
    assert seen <= {tuple(near), tuple(after)}
    vectors = guided.app.get_collection("images").config.params.vectors
    assert isinstance(vectors, dict)
    assert vectors.keys() == {"siglip"}
    assert {key: payload for key, (_, payload) in guided.all("siglip").items()} == {
        key: payload for key, (_, payload) in before.items()
    }
    assert [info["name"] for info in json.loads(done(guided.workspace, *collections, "--json").stdout)] == [
        "images@siglip"
    ]


def test_without_a_named_target_a_parallel_collection_is_proposed_and_never_a_vector(guided: Guided) -> None:
    _, alias, _, plan, *_ = commands(GUIDE, INSTEAD)
    done(guided.workspace, *alias)
    refused = run(guided.workspace, *plan[: plan.index("--target")], "--json")
    assert refused.exit_code == 1
    found = json.loads(refused.stdout)
    assert found["target"] == "images__demo-siglip"
    [finding] = [one for one in found["findings"] if one["code"] == "named-elsewhere"]
    assert "--target images@demo-siglip" in finding["remedy"]


def test_what_changes_meanwhile_reaches_both_vectors_of_the_embedded_store_and_no_payload_of_the_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    workspace = make_workspace(tmp_path / "workspace")
    with opened(workspace) as console:
        fill(console, "by-hand", "demo-clip")
        made = list(console.store.scroll("by-hand", vectors=True))
        console.store.drop("by-hand")
        console.store.create("images", CollectionSpec(128, vector_name="clip"))
        console.store.upsert("images", [Point(one.id, one.vector, {"likes": one.id}) for one in made])

    def catalog(*statements: str) -> None:
        with closing(sqlite3.connect(workspace / "catalog.db", isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def held() -> dict[str, set[Any]]:
        """The points of each vector, as the application finds them."""
        with closing(QdrantClient(path=str(workspace / "qdrant"))) as app:
            records, _ = app.scroll("images", limit=1000, with_vectors=True)
            assert all(application_payload(one.payload or {}) == {"likes": one.id} for one in records if one.id < NEW)  # type: ignore[operator]
            names = {one.id: set(one.vector) for one in records}  # type: ignore[arg-type]
            return {name: {key for key, has in names.items() if name in has} for name in MODELS}

    _, alias, stamp, _, migrate, cutover, rollback, *_ = commands(GUIDE, INSTEAD)
    for words in (alias, stamp, migrate):
        done(workspace, *words)
    everything = set(range(1, PICTURES + 1))
    assert held() == {"clip": everything, "siglip": everything}

    new = "INSERT INTO images VALUES ({}, 'user-9', NULL, '0001.jpg', 'late')"
    catalog(new.format(NEW), "DELETE FROM images WHERE id = 2")
    with closing(QdrantClient(path=str(workspace / "qdrant"))) as app:  # writes a whole point, as it always did
        [whole] = app.retrieve("images", [5], with_vectors=["clip"])
        vector: Any = whole.vector
        app.upsert("images", [models.PointStruct(id=5, vector=vector, payload={"likes": 5})])
    assert held()["siglip"] == everything - {5}
    done(workspace, "catch-up", "images@siglip")
    assert held() == {"clip": everything, "siglip": everything - {2} | {NEW}}
    assert "when it was verified" in run(workspace, *cutover).output
    done(workspace, "verify", "images@siglip")
    done(workspace, *cutover)
    catalog(new.format(NEW + 1), "DELETE FROM images WHERE id = 3")
    done(workspace, *rollback)
    # What was odd in the former one at the cut-over stays as it was, as in any collection.
    assert held() == {"clip": everything - {3} | {NEW + 1}, "siglip": everything - {2} | {NEW}}
    done(workspace, "catch-up", "images@siglip")
    assert held()["siglip"] == everything - {2, 3} | {NEW, NEW + 1}
    with closing(QdrantClient(path=str(workspace / "qdrant"))) as app:
        assert app.count("images").count == PICTURES + 1
        [late] = app.retrieve("images", [NEW + 1], with_vectors=True)
        assert set(late.vector or {}) == {"clip", "siglip"}
        assert application_payload(late.payload or {})["caption"] == "late"
