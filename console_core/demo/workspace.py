"""The demo workspace: made once, recognised afterwards.

It is built in a sibling folder and moved into place at the end, the marker last. A crash leaves nothing that looks
complete, and the next start builds again.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from console_core import settings
from console_core.demo import application
from console_core.demo.cards import DEMO_CARDS
from console_core.demo.pictures import USERS, Picture, paint_pictures, plan_pictures
from console_core.demo.queries import SHOWCASE
from console_core.errors import Refused, SettingsError

VERSION = 1
MARKER = "demo.json"
ALIAS = "images"
MODEL = "demo-clip"
COLLECTION = f"{ALIAS}__{MODEL}"
SMALLEST = 24

_CATALOG = "catalog.db"
_CONTENT = (settings.FILE, _CATALOG, "images", "qdrant", MARKER)
"""What the demo brings, in the order in which it is moved into place."""
_CONSOLE_FILES = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "cache")
"""What the console itself may already have written into the folder."""
_ORPHANS, _STALE = 3, 4
_TOML = f"""# The demo workspace. Paths are relative to this folder.

[store]
url = "local:qdrant"

[catalog]
kind = "sql"
location = "sqlite:///{_CATALOG}"
table = "{application.TABLE}"
key = "id"
paths = ["compressed_path", "original_path", "file_path"]
payload = ["user_id", "caption", "image_type", "created_at"]
facets = ["user_id", "image_type"]

[images]
root = "images"

[query_lab]
examples = {json.dumps([query.text for query in SHOWCASE])}
"""

Progress = Callable[[str, float], None]
"""Told what is being done, and the part (0 to 1) of the whole that is done."""


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What is in a demo workspace. `seconds` is what making it took; keys are catalog keys.

    `failures` are pictures that cannot be embedded, with their class of failure; `defects` are all planted ones, by
    name. `waiting` have not been embedded yet, `orphans` are points whose rows are gone, `stale` were edited after
    they were embedded.
    """

    folder: str
    version: int
    pictures: int
    users: dict[str, str]
    alias: str
    collection: str
    model: str
    points: int
    failures: dict[str, str]
    defects: dict[str, list[str]]
    waiting: list[str]
    orphans: list[str]
    stale: list[str]
    seconds: float


def prepare(folder: Path, *, progress: Progress = lambda _what, _part: None, pictures: int = 1200) -> DemoReport:
    """Make the demo workspace in a folder, or recognise the one that is there and leave it as it is.

    Raises:
        Refused: there is something else in the folder, or fewer than 24 pictures are asked for.
        SettingsError: the folder cannot be written.
    """
    folder = folder.resolve()
    if (report := recognise(folder)) is not None:
        progress("Ready", 1.0)
        return report
    if pictures < SMALLEST:
        raise Refused(f"A demo of {pictures} pictures is too small.", f"Ask for {SMALLEST} or more.")
    _refuse_foreign(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(folder)
        building = _building(folder, os.getpid())
        building.mkdir()
        try:
            report = _build(building, folder, progress, pictures)
            _move_into_place(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as error:
        raise SettingsError(
            f"The demo workspace cannot be written to {folder}: {error.strerror or error}.",
            "Choose a folder on a disk with 100 MB of free space that you may write to.",
        ) from error
    progress("Ready", 1.0)
    return report


def recognise(folder: Path) -> DemoReport | None:
    """The report of a complete demo workspace; None where there is none. Takes milliseconds."""
    try:
        recorded: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return DemoReport(**{**recorded, "folder": str(folder)})
    except (OSError, ValueError, TypeError):
        return None


def _refuse_foreign(folder: Path) -> None:
    """A folder is ours while it is new, empty, has the console's own files only, or an unfinished demo."""
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file.", "Choose another folder for the demo workspace.")
    entries = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    if entries - set(_CONSOLE_FILES) and not _is_unfinished(folder):
        raise Refused(
            f"{folder} is not empty, and what is in it is not a demo workspace.",
            "Choose another folder with --workspace or CONSOLE_WORKSPACE; nothing was changed in this one.",
        )


def _is_unfinished(folder: Path) -> bool:
    """Whether moving a demo into place was begun here and did not reach the marker."""
    try:
        return (folder / settings.FILE).read_text(encoding="utf-8") == _TOML
    except (OSError, ValueError):
        return False


def _building(folder: Path, process: int) -> Path:
    return folder.with_name(f".{folder.name}.demo-{process}")


def _clear_leftovers(folder: Path) -> None:
    """Remove what builds left behind whose process has ended."""
    for leftover in folder.parent.glob(f".{folder.name}.demo-*"):
        process = leftover.name.rpartition("-")[2]
        if process.isdecimal() and (int(process) == os.getpid() or not psutil.pid_exists(int(process))):
            shutil.rmtree(leftover, ignore_errors=True)


def _move_into_place(building: Path, folder: Path) -> None:
    """Move the marker last. Where another process was quicker, its workspace stays."""
    folder.mkdir(exist_ok=True)
    if recognise(folder) is not None:
        return
    for name in _CONTENT:
        target = folder / name
        if target.is_dir():
            shutil.rmtree(target)
        (building / name).replace(target)


def _build(building: Path, folder: Path, progress: Progress, number: int) -> DemoReport:
    started = time.monotonic()
    progress("Choosing pictures", 0.0)
    planned = plan_pictures(number + _ORPHANS)
    waiting = {picture.key for picture in planned[-max(1, round(number / 48)) :]}
    sound = [p.key for p in planned if p.defect is None and p.key not in waiting]
    orphans, stale = _spread(sound, _ORPHANS, 0.31), _spread(sound, _STALE, 0.57)

    images = building / "images"
    paint_pictures(planned, images, lambda part: progress("Painting pictures", 0.05 + 0.6 * part))
    (building / settings.FILE).write_text(_TOML, encoding="utf-8")
    application.create(building / _CATALOG, planned)

    from console_core.demo.vectors import fill_collection  # torch takes seconds to import
    from console_core.embedding.loading import load

    progress("Loading the demo CLIP model", 0.67)
    embedder = load(next(card for card in DEMO_CARDS if card.key == MODEL), "cpu")
    embedded = fill_collection(
        settings.read(building, environment={}),
        embedder,
        COLLECTION,
        ALIAS,
        waiting,
        lambda part: progress("Embedding pictures", 0.72 + 0.26 * part),
    )
    application.record_embeddings(building / _CATALOG, MODEL, embedded.vectors, list(embedded.failures))
    _drift(building, planned, orphans, stale)
    report = DemoReport(
        folder=str(folder),
        version=VERSION,
        pictures=number,
        users=USERS,
        alias=ALIAS,
        collection=COLLECTION,
        model=MODEL,
        points=len(embedded.vectors),
        failures={str(key): kind for key, kind in sorted(embedded.failures.items())},
        defects=_defects(planned),
        waiting=_texts(waiting),
        orphans=_texts(orphans),
        stale=_texts(stale),
        seconds=round(time.monotonic() - started, 1),
    )
    (building / MARKER).write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    return report


def _drift(building: Path, planned: list[Picture], orphans: list[int], stale: list[int]) -> None:
    """Let the application go on after the collection was filled: some pictures deleted, some captions edited."""
    application.delete_rows(building / _CATALOG, orphans)
    application.edit_captions(building / _CATALOG, stale)
    gone = set(orphans)
    for picture in planned:
        if picture.key in gone:
            for path in (picture.compressed_path, picture.original_path, picture.file_path):
                if path:
                    (building / "images" / path).unlink(missing_ok=True)


def _spread(keys: list[int], number: int, offset: float) -> list[int]:
    """That many of the keys, evenly spread."""
    return [keys[int((i + offset) * len(keys) / number)] for i in range(number)]


def _defects(planned: list[Picture]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for picture in planned:
        if picture.defect:
            found.setdefault(picture.defect.value, []).append(str(picture.key))
    return found


def _texts(keys: Iterable[int]) -> list[str]:
    return [str(key) for key in sorted(keys)]
