"""The rows of the demo catalog and their files: who uploaded what and when, in which folder, with which defect.

Imports neither torch nor a database, so that worker processes start quickly.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from console_core.demo.captions import caption
from console_core.demo.defects import Defect, plant
from console_core.demo.gallery import select
from console_core.demo.painting.render import render
from console_core.demo.scene import Scene, kind

USERS = {
    "amelie": "Amélie Laurent",
    "bakari": "Bakari Mwangi",
    "chiara": "Chiara Ricci",
    "dmitri": "Dmitri Sokolov",
    "emiko": "Emiko Tanaka",
    "fatima": "Fatima Haddad",
}
"""User id → name. The first ones upload most."""

_SHARES = (30, 22, 17, 13, 10, 8)
_FIRST_UPLOAD = datetime(2025, 1, 6, 8, 30, tzinfo=UTC)
_ORIGINAL, _COMPRESSED = 480, 320
"""Sides in pixels. Every fourth picture has both versions, the others only one of the smaller size."""
_QUALITY = 88
_TASK = 20
"""Pictures that a worker process paints at a time."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One row of the demo catalog. Paths are relative to the image root, "" where there is none."""

    key: int
    scene: Scene
    user: str
    compressed_path: str
    original_path: str
    file_path: str
    caption: str
    created_at: datetime
    defect: Defect | None

    @property
    def image_type(self) -> str:
        return kind(self.scene)

    @property
    def is_compressed(self) -> bool:
        """Whether its compressed version exists: of some, the application has announced it and not made it yet."""
        return bool(self.compressed_path) and self.key % 24 != 0


def plan_pictures(number: int) -> list[Picture]:
    """The rows of a demo with that many pictures, the oldest first; always the same.

    One in a hundred or more has a defect, and each defect occurs.
    """
    rng = random.Random(number)
    defects = _defect_of_each(number)
    uploaded = _FIRST_UPLOAD
    rows = []
    for key, scene in enumerate(select(number), start=1):
        uploaded += timedelta(minutes=rng.randint(4, 700))
        user, defect = rng.choices(list(USERS), _SHARES)[0], defects.get(key)
        name = f"IMG_{key:04d}{defect.suffix if defect else '.jpg'}"
        original, both = f"{user}/{uploaded:%Y-%m}/{name}", key % 4 == 0 and defect is None
        rows.append(
            Picture(
                key=key,
                scene=scene,
                user=user,
                compressed_path=f"{user}/compressed/{name}" if both else "",
                original_path=original if both or key % 4 == 1 else "",
                file_path="" if both or key % 4 == 1 else original,
                caption=caption(scene, rng),
                created_at=uploaded,
                defect=defect,
            )
        )
    return rows


def _defect_of_each(number: int) -> dict[int, Defect]:
    """Key → defect, spread over the first nine tenths of the keys."""
    kinds = list(Defect)
    planted = kinds * max(1, round(number / 75 / len(kinds)))
    step = number * 0.9 / len(planted)
    return {int((i + 0.5) * step) + 1: defect for i, defect in enumerate(planted)}


def paint_pictures(
    pictures: Sequence[Picture], root: Path, report: Callable[[float], None], *, workers: int = 2
) -> None:
    """Write the files of all pictures below `root`, in worker processes where there is enough to do.

    `report` is told the part (0 to 1) that is done.
    """
    for folder in {path.parent for picture in pictures for path in _files(picture, root)}:
        folder.mkdir(parents=True, exist_ok=True)
    source = iter(pictures)
    tasks = list(iter(lambda: tuple(islice(source, _TASK)), ()))
    paint = partial(_paint_all, root=root)
    if len(tasks) > 2 * workers > 2:
        try:
            with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
                for done, _ in enumerate(pool.map(paint, tasks), start=1):
                    report(done / len(tasks))
        except BrokenProcessPool:  # where the main module cannot be imported again, for example from a prompt
            pass
        else:
            return
    for done, task in enumerate(tasks, start=1):
        paint(task)
        report(done / len(tasks))


def _files(picture: Picture, root: Path) -> list[Path]:
    paths = (picture.compressed_path, picture.original_path, picture.file_path)
    return [root / path for path in paths if path]


def _paint_all(pictures: Sequence[Picture], root: Path) -> None:
    for picture in pictures:
        _paint(picture, root)


def _paint(picture: Picture, root: Path) -> None:
    files = _files(picture, root)
    if not picture.compressed_path:
        painted = render(picture.scene, _COMPRESSED)
        if picture.defect:
            plant(picture.defect, painted, files[0])
        else:
            painted.save(files[0], "JPEG", quality=_QUALITY)
        return
    compressed, original = files
    painted = render(picture.scene, _ORIGINAL)
    painted.save(original, "JPEG", quality=_QUALITY + 4)
    if not picture.is_compressed:
        return
    smaller = painted.resize((_COMPRESSED, _COMPRESSED), Image.Resampling.LANCZOS, reducing_gap=2.0)
    smaller.save(compressed, "JPEG", quality=_QUALITY)
