"""Workspaces for the tests in this folder, and what must never change in them."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from console_core import settings
from console_core.console import Console, open_console
from console_core.vectorstore.types import PointId


@contextmanager
def opened(workspace: Path, environment: Mapping[str, str] | None = None) -> Iterator[Console]:
    """The workspace, owned by this process, without a worker."""
    console = open_console(settings.read(workspace, environment or {}), owner_name="the test")
    try:
        yield console
    finally:
        console.close()


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


def copied(workspace: Path, to: Path) -> Path:
    return Path(shutil.copytree(workspace, to))
