"""Workspaces for the tests in this folder, and what must never change in them."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from console_core import settings
from console_core.console import Console, open_console
from console_core.vectorstore.provenance import FIELD
from console_core.vectorstore.types import PointId, Vector
from tests.conftest import fill, make_workspace


@contextmanager
def opened(workspace: Path, environment: Mapping[str, str] | None = None) -> Iterator[Console]:
    """The workspace, owned by this process, without a worker."""
    console = open_console(settings.read(workspace, environment or {}), owner_name="the test")
    try:
        yield console
    finally:
        console.close()


def in_postgresql(folder: Path, url: str) -> Path:
    """A workspace whose store is PostgreSQL; the alias `images` serves a collection made by demo-clip."""
    make_workspace(folder)
    file = folder / settings.FILE
    file.write_text(file.read_text().replace("local:qdrant", url))
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return folder


@dataclass(frozen=True)
class Serving:
    """What the application searches: the aliases, and every vector behind `images`."""

    aliases: Mapping[str, str]
    points: Mapping[PointId, bytes]

    @classmethod
    def of(cls, console: Console) -> "Serving":
        points = console.store.scroll("images", vectors=True)
        return cls(
            console.store.aliases(),
            {point.id: point.vector.tobytes() for point in points if point.vector is not None},
        )


@dataclass(frozen=True)
class Contents:
    """What a collection holds, but for when and by which run it was made."""

    points: Mapping[PointId, tuple[Vector, Mapping[str, Any]]]

    @classmethod
    def of(cls, console: Console, collection: str) -> "Contents":
        found = {}
        for point in console.store.scroll(collection, vectors=True):
            assert point.vector is not None
            made = {name: told for name, told in point.payload[FIELD].items() if name not in ("run", "embedded_at")}
            found[point.id] = (point.vector, {**point.payload, FIELD: made})
        return cls(found)

    def part_of(self, other: "Contents") -> bool:
        """Whether all of it is in another, vectors to four places: batches of other sizes round otherwise."""
        return all(
            key in other.points
            and payload == other.points[key][1]
            and float(np.abs(vector - other.points[key][0]).max()) < 1e-4
            for key, (vector, payload) in self.points.items()
        )

    def same_as(self, other: "Contents") -> bool:
        return self.part_of(other) and len(self.points) == len(other.points)


def copied(workspace: Path, to: Path) -> Path:
    return Path(shutil.copytree(workspace, to))
