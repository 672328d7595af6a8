"""A table of pictures that an application changes while it is read, and their files, some of which are bad."""

import random
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.sql import SqlCatalog
from console_core.database import now
from console_core.embedding.batches import Batches, Pass
from console_core.embedding.turns import Turn
from console_core.embedding.types import Pixels, Vectors
from console_core.errors import ImageError, ImageTimeout, ModelOutputInvalid
from console_core.settings import CatalogSettings
from tests.grid_model import Grid
from tests.lifecycle.schedules.dice import Schedule

BAD = {
    "missing": "missing",
    "truncated": "unreadable",
    "empty": "empty",
    "html": "unsupported",
    "poison": "model error",
    "unwanted": "store refused",
}
"""The kinds of bad pictures, and the class of failure in which each must end."""
GOOD = 10
APPLICATION = ("insert at the end", "insert before", "delete", "edit", "mend")


def make_pictures(folder: Path) -> Path:
    """Good pictures, and one of each bad kind that is a file at all."""
    folder.mkdir()
    colours = np.random.default_rng(3).integers(0, 200, size=(GOOD, 4, 4, 3), dtype=np.uint8)
    for number, pixels in enumerate(colours):
        Image.fromarray(pixels).resize((16, 16)).save(folder / f"good-{number}.png")
    whole = (folder / "good-0.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    (folder / "html.png").write_text("<!doctype html><html><body>404</body></html>")
    Image.new("RGB", (16, 16), (255, 0, 255)).save(folder / "poison.png")
    Image.new("RGB", (16, 16), (0, 90, 20)).save(folder / "unwanted.png")
    return folder


class ChangingCatalog:
    """Keys are ten apart. A picture's path is its key and its file, as in "30/good-3.png"."""

    def __init__(self, file: Path, dice: random.Random, *, bad: int = len(BAD), least: int = 5) -> None:
        """Of three and `bad` pictures, `bad` are bad on average."""
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("CREATE TABLE pictures (id INTEGER PRIMARY KEY, path TEXT, caption TEXT)")
        number = dice.randint(least, 16)
        chances = ["good"] * 3 * len(BAD) + list(BAD) * (bad // 2)
        self.files: dict[int, str] = {}
        self.mended: dict[int, datetime] = {}
        self.changed: set[int] = set()
        self.at_start = tuple(10 * place for place in range(1, number + 1))
        self._connection.execute("BEGIN")
        for key in self.at_start:
            self._insert(key, "good" if key == 10 else dice.choice(chances))
        self._connection.execute("COMMIT")
        settings = CatalogSettings("sql", f"sqlite:///{file}", "pictures", paths=("path",), payload=("caption",))
        self.reading = SqlCatalog(settings, page=dice.randint(2, 9))

    def keys(self) -> set[int]:
        return {key for (key,) in self._connection.execute("SELECT id FROM pictures")}

    def file(self, key: int) -> str:
        """The file that is read for a picture now."""
        return f"good-{key // 10 % GOOD}.png" if key in self.mended else self.files[key]

    def kind(self, key: int) -> str:
        """Good, or which kind of bad."""
        return self.file(key).partition(".")[0].partition("-")[0]

    def change(self, what: str, dice: random.Random) -> None:
        there = sorted(self.keys() - {10})
        if what.startswith("insert"):
            key = (
                max(self.files) + 10 if what == "insert at the end" else dice.choice((10, *there)) - dice.randint(1, 9)
            )
            if key > 0 and key not in self.files:
                self._insert(key, dice.choice(("good", "good", *BAD)))
                self.changed.add(key)
        elif there:
            bad = [key for key in there if self.kind(key) != "good"]
            key = dice.choice(bad if what == "mend" and bad else there)
            self.changed.add(key)
            match what:
                case "delete":
                    self._connection.execute("DELETE FROM pictures WHERE id = ?", (key,))
                case "edit":
                    self.edit(key, dice)
                case _:
                    self.mended[key] = now()

    def edit(self, key: int, dice: random.Random) -> None:
        """Another caption, and another file where it had a good one."""
        if self.files[key].startswith("good"):
            self.files[key] = f"good-{dice.randrange(GOOD)}.png"
            self.mended.pop(key, None)
        change = "UPDATE pictures SET path = ?, caption = caption || '!' WHERE id = ?"
        self._connection.execute(change, (f"{key}/{self.files[key]}", key))

    def close(self) -> None:
        self.reading.close()
        self._connection.close()

    def _insert(self, key: int, kind: str) -> None:
        self.files[key] = file = (
            f"good-{key % 10 if key % 10 else key // 10 % GOOD}.png" if kind == "good" else f"{kind}.png"
        )
        values = (key, f"{key}/{file}", f"picture {key}")
        self._connection.execute("INSERT INTO pictures VALUES (?, ?, ?)", values)


class FaultyFiles:
    """The files of such a catalog, of which one is at times cut short or does not arrive."""

    def __init__(self, folder: Path, catalog: ChangingCatalog, schedule: Schedule) -> None:
        self._files, self._catalog, self._schedule = LocalFiles((folder,)), catalog, schedule
        self.location, self.readers = self._files.location, self._files.readers

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        key, _, file = path.partition("/")
        fault = self._schedule.spoils(key)
        if fault == "timeout":
            raise ImageTimeout(f"{path} did not arrive within 30 s.", "Try again.", path=path)
        try:
            data = self._files.read(self._catalog.file(int(key)) if int(key) in self._catalog.mended else file)
        except ImageError as error:
            error.path = path
            raise
        return data[: len(data) // 3] if fault == "decode" else data

    def changed_at(self, path: str) -> datetime | None:
        return self._catalog.mended.get(int(path.partition("/")[0]))

    def trouble(self, root: str) -> tuple[str, str]:
        return self._files.trouble(root)

    def close(self) -> None:
        self._files.close()


class FaultyGrid(Grid):
    """It chokes at times on a batch, and at times its device has memory for a few pictures only, or for none."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule
        self._batches: Batches[Pixels] = Batches(16, Turn())
        self._room = 16

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        self._schedule.strike()
        match self._schedule.falls("glitch", "tight memory", "out of memory"):
            case "glitch" if len(pixels) > 1:
                raise ModelOutputInvalid("The model answered with numbers that are not finite.")
            case "tight memory":
                self._room = self._schedule.dice.randint(1, 3)
            case "out of memory":
                self._room = 0
        vectors = self._batches.run(self._forward, list(pixels))
        self.batch = self._batches.limit
        return vectors

    def _forward(self, pixels: Sequence[Pixels], _: Pass) -> Vectors:
        if len(pixels) > self._room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().embed_images(pixels)
