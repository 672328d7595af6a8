"""docs/same-name.md from start to end: a Qdrant collection gets another model, and keeps its name and its payload."""

import json
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from console_core import settings
from console_core.vectorstore.provenance import FIELD
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Point
from tests.conftest import PICTURES, make_workspace
from tests.how_to import blocks, commands, done
from tests.lifecycle.workspaces import opened
from tests.nanio_server import KEY, SECRET, storing

GUIDE = "same-name.md"
NAME, NEW = "image_chunks", "image_chunks__demo-clip"
INSTEAD = {"siglip-vit-l-16-256-webli": "demo-siglip", "clip-vit-l-14-openai": "demo-clip"}
"""The guide's models, and small ones that are here."""
SETTINGS = {"m": 24, "ef_construct": 120}
QUANTIZED = {"type": "int8", "quantile": 0.99, "always_ram": True}


def _key(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The guide's settings, with an edge store, an SQLite catalog and a real object store in place of its servers."""
    for name, value in {"CONSOLE_ACTOR": "olga", "STORAGE_KEY": KEY, "STORAGE_SECRET": SECRET}.items():
        monkeypatch.setenv(name, value)
    folder = make_workspace(tmp_path / "workspace")
    (tmp_path / "buckets").mkdir()
    (configured,) = blocks(GUIDE, "toml")
    with storing(tmp_path / "buckets") as store:
        for given, instead in {
            "grpc://qdrant.internal:6334": "edge:qdrant-edge",
            "postgresql+psycopg://reader@db.internal/app": "sqlite:///app.db",
            "https://PROJECT.storage.supabase.co/storage/v1/s3": store.url,
            "eu-central-1": "us-east-1",
        }.items():
            assert given in configured
            configured = configured.replace(given, instead)
        (folder / settings.FILE).write_text(configured + "[rollout]\nfollow_every = 3600\n")
        with closing(sqlite3.connect(folder / "app.db")) as app, app:
            app.execute(
                "CREATE TABLE images (id TEXT PRIMARY KEY, image_path, chunk_id, document_id, caption, image_type)"
            )
            for number in range(1, PICTURES + 1):
                row = (
                    _key(number),
                    f"doc-{number % 5}/{number:04}.jpg",
                    f"c{number}",
                    f"d{number % 5}",
                    f"square {number}",
                )
                app.execute("INSERT INTO images VALUES (?, ?, ?, ?, ?, 'figure')", row)
                picture = folder / "images" / f"{number:04}.jpg"
                store.put("images", row[1], picture.read_bytes())
        with opened(folder, {"STORAGE_KEY": KEY, "STORAGE_SECRET": SECRET}) as console:
            embedder = console.models.get("demo-siglip")
            spec = CollectionSpec(embedder.card.dimension, index=SETTINGS, quantization=QUANTIZED)
            console.store.create(NAME, spec)
            for listed in console.catalog.rows():
                shown = Image.open(folder / "images" / Path(listed.candidates[0]).name).convert("RGB")
                vector = embedder.embed_images([embedder.preprocessing.exact(shown)])[0]
                console.store.upsert(NAME, [Point(listed.key, vector, dict(listed.payload))])
        for picture in (folder / "images").iterdir():
            picture.unlink()
        yield folder


def _collection(workspace: Path, name: str) -> CollectionInfo:
    with opened(workspace, {"STORAGE_KEY": KEY, "STORAGE_SECRET": SECRET}) as console:
        return console.store.describe(name)


def test_the_name_the_payload_and_the_settings_are_the_same_at_the_end_and_the_model_is_another(
    workspace: Path,
) -> None:
    before = _collection(workspace, NAME)
    with opened(workspace, {"STORAGE_KEY": KEY, "STORAGE_SECRET": SECRET}) as console:
        payloads = {point.id: point.payload for point in console.store.scroll(NAME)}
    steps = commands(GUIDE, INSTEAD)
    assert [step[0] for step in steps] == [
        *("collections", "stamp", "plan", "migrate", "collections", "backup", "recreate", "search", "backup", "retire")
    ]
    for step in steps[:4]:
        done(workspace, *step)
    listed = {one["name"]: one["points"] for one in json.loads(done(workspace, *steps[4], "--json").stdout)}
    assert listed == {NAME: PICTURES, NEW: PICTURES}
    for step in steps[5:7]:
        done(workspace, *step)
    hits = json.loads(done(workspace, *steps[7], "--json").stdout)
    assert len(hits) == 3
    after = _collection(workspace, NAME)
    assert (after.name, after.aliases, after.dimension, after.points) == (NEW, (NAME,), 128, PICTURES)
    assert (after.distance, after.payload_fields) == (before.distance, before.payload_fields)
    for wanted, found in ((SETTINGS, after.index), (QUANTIZED, after.quantization)):
        assert wanted.items() <= found.items()
    with opened(workspace, {"STORAGE_KEY": KEY, "STORAGE_SECRET": SECRET}) as console:
        now = {point.id: point.payload for point in console.store.scroll(NAME)}
    assert {
        key: {name: value for name, value in told.items() if name != FIELD} for key, told in now.items()
    } == payloads
    for step in steps[8:]:
        done(workspace, *step)
    listed = {one["name"]: one["points"] for one in json.loads(done(workspace, *steps[4], "--json").stdout)}
    assert listed == {NEW: PICTURES}
    assert [one for one in workspace.rglob("*") if one.is_file() and SECRET.encode() in one.read_bytes()] == []


def test_the_way_with_an_alias_has_no_gap_and_a_way_back(workspace: Path) -> None:
    (text,) = blocks(GUIDE, "text", INSTEAD)
    steps = [line.partition("#")[0].split()[1:] for line in text.splitlines()]
    done(workspace, *commands(GUIDE, INSTEAD)[1])
    for step in steps:
        done(workspace, *step)
        served = _collection(workspace, "images")
        assert served.points == PICTURES
        assert served.name == (("images__demo-clip") if step[0] == "cutover" else NAME)
