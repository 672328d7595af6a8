"""A migration whose pictures come from an http server that fails one request in ten, killed and resumed."""

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core import settings
from console_core.catalog import transfer
from console_core.commands import command
from console_core.database import Database
from console_core.migration.findings import Request
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import Contents, copied, opened
from tests.picture_server import Handler, PictureServer, broken_off, give, serving, status

PICTURES, BATCH = 400, 8
GIVEN_BEFORE_THE_KILL = 300
"""More than go through the model at once."""
TARGET = "images__demo-siglip"
SECRET = "s3cret-value"


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A workspace whose pictures lie in a folder."""
    folder = make_workspace(tmp_path / "local", PICTURES)
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return folder


@pytest.fixture
def server(local: Path) -> Iterator[PictureServer]:
    """It has these pictures, and of ten requests it fails the last, each time in another way."""
    with serving() as server:
        server.pictures = {f"/p/{file.name}": file.read_bytes() for file in (local / "images").iterdir()}
        ways = itertools.cycle((status(503), broken_off(200), status(429, {"Retry-After": "0"}), status(500)))
        for _ in range(100):
            server.faults["*"].extend([*[give] * 9, next(ways)])
        yield server


@pytest.fixture
def remote(local: Path, server: PictureServer, tmp_path: Path) -> Path:
    """The same workspace, but that its pictures come from the server. No file of theirs is left in it."""
    folder = copied(local, tmp_path / "remote")
    file = folder / settings.FILE
    pictures = f'root = "{server.url}/p/"\n[images.http]\nheaders = {{ Authorization = "Bearer ${{TOKEN}}" }}\n'
    file.write_text(file.read_text().replace('root = "images"\n', pictures))
    for picture in (folder / "images").iterdir():
        picture.unlink()
    return folder


def test_killed_and_resumed_it_ends_with_exactly_what_a_folder_would_have_given(
    local: Path, remote: Path, server: PictureServer, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(local) as console:
        started = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip"))
        assert finish(console, started.run).state is RunState.SUCCEEDED
        expected = Contents.of(console, TARGET)

    environment = {"TOKEN": SECRET}
    with opened(remote, environment) as console:
        request = Request("images", "demo-siglip", batch_size=BATCH)
        run = command(console, OPERATOR, "start_migration", request=request).run
    seen, goes_on = set[str](), threading.Event()

    def held(handler: Handler) -> None:
        """What is tried again is answered at once: rows are written in their order."""
        if len(seen) >= GIVEN_BEFORE_THE_KILL and handler.path not in seen:
            goes_on.wait(120)
        seen.add(handler.path)

    server.before = held
    process = forks.start(
        "tests.lifecycle.programs:server", str(remote), str(remote / "upserts.log"), environment=environment
    )
    database = Database(settings.read(remote, environment).ledger_url)
    ledger, until = Ledger(database), time.monotonic() + 60
    while ledger.get(run.id).counts.done == 0:
        assert time.monotonic() < until, process.stderr.read_text()
        time.sleep(0.02)
    process.kill()
    database.close()
    goes_on.set()
    before = len(server.asked)

    monkeypatch.setattr(transfer, "FIRST_PAUSE", 0.01)
    with opened(remote, environment) as console:
        stopped = console.ledger.get(run.id)
        assert stopped.state is RunState.INTERRUPTED
        assert 0 < stopped.counts.done < PICTURES
        command(console, OPERATOR, "resume", run=run.id)
        ended = finish(console, console.ledger.get(run.id))
        assert ended.state is RunState.SUCCEEDED
        assert (ended.counts.done, ended.counts.all_failed) == (PICTURES, 0)
        assert Contents.of(console, TARGET).same_as(expected)
    again = {one.path for one in server.asked[before:]}
    assert len(again) == PICTURES - stopped.counts.done, "what was recorded is not fetched again"
    assert {one.headers["Authorization"] for one in server.asked} == {f"Bearer {SECRET}"}
    kept = [file for file in remote.rglob("*") if file.is_file()]
    assert [file for file in kept if SECRET.encode() in file.read_bytes()] == []
