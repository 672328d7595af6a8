"""Every misconfiguration that is planted is found by name before the first write."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from console_core import settings
from console_core.console import Console, open_console
from console_core.database import metadata
from console_core.embedding.loaded import Models
from console_core.migration.findings import CODES, Finding, Preflight, Request, Severity
from console_core.migration.preflight import preflight
from console_core.migration.preflight.pictures import about_roots
from console_core.migration.preflight.source import about_points
from console_core.vectorstore.provenance import Provenance
from console_core.vectorstore.types import CollectionSpec, Point
from tests.conftest import fill, make_workspace
from tests.unit.migration.misconfigurations import (
    MISCONFIGURATIONS,
    ON_A_SERVER,
    SERVED,
    USUAL,
    Misconfiguration,
    World,
)
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

READS = ("/points", "/scroll", "/count", "/query")
ELSEWHERE = {"disk", "disk-ledger", "clock-differs", "target-elsewhere"} | {
    "switch",
    "switch-blocked",
    "switch-foreign",
    "switch-left",
    "switch-trigger",
}
"""Found in tests that need a small disk, or a database server."""
ALWAYS = {"device", "room", "dimension", "settings-kept", "image-only", "target-continued"}
"""Notes that tell what is usual."""


@pytest.fixture
def world(console: Console) -> Iterator[World]:
    yield from _undone(World(console))


@pytest.fixture
def server_world(tmp_path: Path, filled: tuple[Path, Models]) -> Iterator[World]:
    """The same workspace on a Qdrant server."""
    with LoopbackQdrant().running() as server:
        folder = make_workspace(tmp_path / "workspace")
        console = open_console(settings.read(folder, {"CONSOLE_STORE_URL": server.url}), owner_name="a test")
        console.models = filled[1]
        try:
            fill(console, SERVED, "demo-clip", alias="images")
            yield from _undone(World(console, server))
        finally:
            console.close()


def _undone(world: World) -> Iterator[World]:
    try:
        yield world
    finally:
        for undo in reversed(world.undo):
            undo()


def _looked(world: World, request: Request) -> Preflight:
    return preflight(replace(world.console.preflight_parts(), **world.parts), request)


def _everything(world: World) -> dict[str, Any]:
    """All that a preflight could have changed: files, points, aliases, and the ledger's rows."""
    files = {
        str(file.relative_to(world.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(world.folder.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")  # SQLite's shared memory notes its readers
    }
    store = world.console.store
    points = {
        info.name: [(point.id, str(point.payload)) for point in store.scroll(info.name)] for info in store.collections()
    }
    with world.console.database.reading() as connection:
        rows = {name: [tuple(row) for row in connection.execute(select(t))] for name, t in metadata.tables.items()}
    return {"files": files, "points": points, "aliases": store.aliases(), "rows": rows}


def _assert_found(world: World, wrong: Misconfiguration) -> Finding:
    request = wrong.plant(world) or USUAL
    before = _everything(world)
    if world.server is not None:
        world.server.requests.clear()
    outcome = _looked(world, request)
    if world.server is not None:
        asked = [(one.method, one.path) for one in world.server.requests]
        assert all(method == "GET" or (method == "POST" and path.endswith(READS)) for method, path in asked), asked
    assert _everything(world) == before
    told = [(finding.code, finding.severity, finding.message) for finding in outcome.findings]
    finding = next((one for one in outcome.findings if one.code == wrong.code and wrong.names in one.message), None)
    assert finding is not None, told
    assert finding.severity is wrong.severity
    assert finding.remedy or wrong.severity is Severity.INFO
    assert (outcome.plan is None) == outcome.blocked
    if wrong.severity is Severity.BLOCK:
        assert outcome.plan is None
    print(f"{finding.code:20} {finding.severity:5}  {wrong.plant.__name__.replace('_', ' ')}")  # noqa: T201
    return finding


def _named(wrong: Misconfiguration) -> str:
    return f"{wrong.code}: {wrong.plant.__name__.replace('_', ' ')}"


@pytest.mark.parametrize("wrong", MISCONFIGURATIONS, ids=_named)
def test_a_misconfiguration_is_found_by_name_before_the_first_write(world: World, wrong: Misconfiguration) -> None:
    _assert_found(world, wrong)


@pytest.mark.parametrize("wrong", ON_A_SERVER, ids=_named)
def test_a_misconfiguration_of_a_server_is_found_without_one_request_that_could_write(
    server_world: World, wrong: Misconfiguration
) -> None:
    _assert_found(server_world, wrong)


def test_nothing_is_found_on_a_server_where_nothing_is_wrong(server_world: World) -> None:
    outcome = _looked(server_world, USUAL)
    assert {finding.code for finding in outcome.findings} == {
        *("device", "room", "dimension", "settings-kept", "parity")
    }
    assert outcome.plan is not None


@pytest.mark.parametrize("place", ["the first", "the middle", "the last"])
def test_another_model_in_any_twentieth_of_a_large_collection_is_found(server_world: World, place: str) -> None:
    number = 6000
    start = {"the first": 0, "the middle": number // 2, "the last": number - number // 20}[place]
    foreign = range(start, start + number // 20)
    store, stamp = server_world.console.store, server_world.stamp_of("demo-clip")
    vector = np.ones(128, dtype=np.float32)
    own, other = (Provenance("", "", "", digest, "", "").as_payload() for digest in (stamp.fingerprint, "0123456789ab"))
    store.create("large", CollectionSpec(128, stamp=stamp))
    store.upsert("large", [Point(one, vector, other if one in foreign else own) for one in range(number)])
    (finding,) = about_points(store, store.describe("large"))
    assert finding.code == "source-mixed"
    assert "of 0123456789ab, not of" in finding.message
    print(f"{place} twentieth of {number:,}: {finding.message}")  # noqa: T201


@pytest.fixture
def stranger() -> Callable[[], AbstractContextManager[None]]:
    """Become somebody who is not root, for a moment."""

    @contextmanager
    def become() -> Iterator[None]:
        if os.geteuid() != 0:
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return become


@pytest.mark.parametrize(("closed", "says"), [("root", "may not be read by this user"), ("above", "cannot be reached")])
def test_an_image_root_that_this_user_may_not_read_is_named(
    world: World, stranger: Callable[[], AbstractContextManager[None]], closed: str, says: str
) -> None:
    folder = Path(tempfile.mkdtemp())
    root = folder / "pictures"
    root.mkdir()
    folder.chmod(0o755 if closed == "root" else 0)
    root.chmod(0 if closed == "root" else 0o755)
    parts = replace(world.console.preflight_parts(), image_roots=(root,))
    try:
        with stranger():
            (finding,) = about_roots(parts, None)
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)
    assert (finding.code, finding.severity) == ("image-root", Severity.BLOCK)
    assert f"The image root {root} {says}" in finding.message
    assert finding.remedy


def test_every_code_is_planted_somewhere_and_more_than_fifteen_block() -> None:
    wrongs = (*MISCONFIGURATIONS, *ON_A_SERVER)
    known = {code for codes in CODES.values() for code in codes}
    assert {wrong.code for wrong in wrongs} == known - ELSEWHERE - ALWAYS
    by_severity = {kind: {wrong.code for wrong in wrongs if wrong.severity is kind} for kind in Severity}
    print(*(f"{kind.value}: {len(codes)}" for kind, codes in by_severity.items()))  # noqa: T201
    assert len(by_severity[Severity.BLOCK]) >= 15
    assert len(wrongs) >= 50
