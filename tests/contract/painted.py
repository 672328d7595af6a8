"""Pictures of the demo's gallery as JPEG files of real sizes, painted by two processes. Imports no torch."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from console_core.demo.painting.render import render
from console_core.demo.scene import Scene

SIZES = ((640, 640), (640, 480), (480, 480), (480, 400))
"""Widths and heights, in turn: each at least five times what the demo's models see."""


def paint(folder: Path, scenes: Sequence[Scene]) -> list[Path]:
    """The files, in the order of the scenes."""
    files = [folder / f"{number:04}.jpg" for number in range(len(scenes))]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_paint, scenes, files, range(len(scenes)), chunksize=25))
    return files


def _paint(scene: Scene, file: Path, number: int) -> None:
    width, height = SIZES[number % len(SIZES)]
    side = max(width, height)
    top = (side - height) // 2
    render(scene, side).crop((0, top, width, top + height)).save(file, quality=88)
