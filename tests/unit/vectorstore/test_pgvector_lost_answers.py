"""A connection to PostgreSQL that is cut right after a change was committed, before anybody was told."""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core.errors import OutcomeUnknown, StoreUnavailable
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, VectorStore
from tests.contract.vectorstore.world import DIMENSION, points
from tests.postgres import Postgres

SOCKET = ".s.PGSQL.5432"


class Cut:
    """A way to the server that can be cut: once, or for good, after the answer to the next commit has come."""

    def __init__(self, server: Path, folder: Path) -> None:
        self.armed = self.for_good = False
        self.cuts = 0
        self._server = server
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / SOCKET))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.cuts and self.for_good:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server / SOCKET))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(*pair, client), daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.armed and source is not client and b"COMMIT\0" in data:  # the server says that it is done
                    self.armed = False
                    self.cuts += 1
                    break
                to.sendall(data)
        for end in (source, to):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def cut(postgres: Postgres) -> Iterator[tuple[Cut, VectorStore, VectorStore]]:
    """The way, a store that goes it, and another that goes straight to the server; `images` is behind `live`."""
    with tempfile.TemporaryDirectory(prefix="cut-") as folder, postgres.schema() as url:
        way = Cut(postgres.folder, Path(folder))
        store = open_store(StoreSettings(url.replace(str(postgres.folder), folder), retries=2))
        straight = open_store(StoreSettings(url))
        for name in ("images", "new"):
            straight.create(name, CollectionSpec(DIMENSION))
        straight.set_alias("live", "images", expected=None)
        yield way, store, straight
        store.close()
        straight.close()
        way.close()


def test_an_alias_move_whose_answer_was_lost_is_read_back(cut: tuple[Cut, VectorStore, VectorStore]) -> None:
    way, store, straight = cut
    assert store.aliases() == {"live": "images"}
    way.armed = True
    store.set_alias("live", "new", expected="images")
    assert way.cuts == 1
    assert straight.aliases() == {"live": "new"}


def test_an_alias_move_after_which_the_server_is_gone_is_said_to_be_unknown(
    cut: tuple[Cut, VectorStore, VectorStore],
) -> None:
    way, store, straight = cut
    assert store.aliases() == {"live": "images"}
    way.armed = way.for_good = True
    with pytest.raises(OutcomeUnknown, match="may have been pointed"):
        store.set_alias("live", "new", expected="images")
    assert straight.aliases() == {"live": "new"}


def test_a_write_whose_answer_was_lost_is_made_again_and_does_no_harm(
    cut: tuple[Cut, VectorStore, VectorStore],
) -> None:
    way, store, straight = cut
    way.armed = True
    assert store.upsert("images", points(50)) == 50
    assert (way.cuts, straight.count("images")) == (1, 50)


def test_a_collection_whose_making_was_not_answered_is_not_made_twice(
    cut: tuple[Cut, VectorStore, VectorStore],
) -> None:
    way, store, straight = cut
    way.armed = True
    with pytest.raises(StoreUnavailable, match="stopped answering"):
        store.create("third", CollectionSpec(DIMENSION))
    assert straight.count("third") == 0
