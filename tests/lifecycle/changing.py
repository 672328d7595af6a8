"""An application that goes on working while its pictures are migrated: it inserts, edits and deletes."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass
class Application:
    """Changes the catalog of a workspace that `tests.conftest.make_workspace` made, and its pictures."""

    workspace: Path
    seed: int = 1
    inserted: set[int] = field(default_factory=set)
    edited: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.file = self.workspace / "catalog.db"

    def keys(self) -> list[int]:
        with closing(sqlite3.connect(self.file)) as catalog:
            return [key for (key,) in catalog.execute("SELECT id FROM images ORDER BY id")]

    def insert(self, number: int) -> list[int]:
        """New pictures at the end of the catalog."""
        first = max(self.keys(), default=0) + 1
        new = list(range(first, first + number))
        for key in new:
            self.paint(key)
        self._run(
            "INSERT INTO images (id, user_id, original_path, caption) VALUES (?, ?, ?, ?)",
            [(key, f"user-{key % 3}", f"{key:04}.jpg", f"square {key}") for key in new],
        )
        self.inserted |= set(new)
        return new

    def edit(self, number: int) -> list[int]:
        """Other captions, for every second one another picture under the same path too."""
        chosen = self.dice.sample(self.keys(), number)
        for key in chosen[::2]:
            self.paint(key)
        self._run("UPDATE images SET caption = caption || ' again' WHERE id = ?", [(key,) for key in chosen])
        self.edited |= set(chosen)
        return chosen

    def caption(self, key: int, text: str) -> None:
        self._run("UPDATE images SET caption = ? WHERE id = ?", [(text, key)])

    def replace(self, number: int) -> list[int]:
        """Other pictures under the same paths, of which the catalog says nothing."""
        chosen = self.dice.sample(self.keys(), number)
        for key in chosen:
            self.paint(key)
        return chosen

    def delete(self, number: int) -> list[int]:
        chosen = self.dice.sample(self.keys(), number)
        self._run("DELETE FROM images WHERE id = ?", [(key,) for key in chosen])
        self.deleted |= set(chosen)
        return chosen

    def paint(self, key: int) -> None:
        corners = np.random.default_rng([self.seed, key, self.dice.randrange(2**30)]).integers(0, 256, size=(2, 2, 3))
        picture = Image.fromarray(corners.astype(np.uint8)).resize((96, 96), Image.Resampling.BILINEAR)
        with closing(sqlite3.connect(self.file)) as catalog:
            row = catalog.execute("SELECT compressed_path, original_path FROM images WHERE id = ?", (key,)).fetchone()
        path = next(filter(None, row)) if row else f"{key:04}.jpg"
        picture.save(self.workspace / "images" / path, quality=90)

    def _run(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        with closing(sqlite3.connect(self.file)) as catalog, catalog:
            catalog.executemany(statement, rows)
