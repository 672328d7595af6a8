"""Would it work? What a form says is opened beside what the console uses, and asked. Pure: nothing here draws."""

import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from console_core.catalog.loading import load
from console_core.catalog.names import told
from console_core.catalog.opening import open_catalog, open_images
from console_core.catalog.types import ImageRow
from console_core.console import Console
from console_core.console.listed_points import StorePoints
from console_core.embedding.architectures import names
from console_core.embedding.registry import from_settings
from console_core.errors import CatalogInvalid, ConsoleError, ImageError, ModelNotLoadable, ModelUnknown
from console_core.settings import Settings
from console_core.ui import words
from console_core.ui.connections.probes import SAMPLE, root_state
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import VectorStore

PATIENCE = 20.0
"""Seconds for which an answer is waited for."""
ROWS = 5
"""Rows of a catalog that are shown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a test found: a sentence, remarks, and rows to look at. `remedy` is what to do where it did not work."""

    works: bool
    said: str
    remedy: str = ""
    remarks: tuple[str, ...] = ()
    rows: tuple[dict[str, str], ...] = ()


Test = Callable[[Console, Settings, str], Outcome]
"""Asks a candidate, which shares nothing with the open Console, about one section or entry."""


def tried(test: Test, console: Console, candidate: Settings, entry: str, patience: float = PATIENCE) -> Outcome:
    """The outcome, at the latest after `patience` seconds. What raises a ConsoleError does not work."""
    try:
        return within(patience, lambda: test(console, candidate, entry))
    except TimeoutError:
        return Outcome(False, f"No answer within {patience:g} s.", "Check the address, and whether it can be reached.")
    except ConsoleError as error:
        return Outcome(False, error.message, error.remedy)


def store(console: Console, candidate: Settings, entry: str) -> Outcome:
    """Its collections, version and limits. An embedded store that the console has open already is asked there."""
    if candidate.store.url == console.settings.store.url and console.store.info().embedded:
        return _of_store(console.store)
    place = _place(candidate)
    if place is not None and not place.exists():
        above = next(one for one in place.parents if one.exists())
        fine, state = root_state(above)
        if not fine or not os.access(above, os.W_OK):
            state = state if not fine else "cannot be written"
            return Outcome(False, f"There is no {place}, and {above} {state}.", "Name another place.")
        return Outcome(True, f"Nothing is there yet: an empty store will be made at {place}.")
    quick = replace(candidate.store, timeout=min(candidate.store.timeout, int(PATIENCE) // 2), retries=0)
    with closing(open_store(quick, dry=True)) as opened:
        return _of_store(opened)


def catalog(console: Console, candidate: Settings, entry: str) -> Outcome:
    """How many pictures it lists, and the first of them."""
    with closing(open_catalog(candidate.catalog, points=StorePoints(console.store), dry=True)) as opened:
        rows = list(islice(opened.rows(), ROWS))
        if not rows:
            raise CatalogInvalid("It can be read, and it lists no picture.", "Check where it is, and its table.")
        said = f"It can be read: {words.count(opened.count(), 'picture')}."
        return Outcome(True, said, rows=tuple(_row(row) for row in rows))


def images(console: Console, candidate: Settings, entry: str) -> Outcome:
    """Whether each place answers, and the first pictures of the catalog in them."""
    roots, failed = candidate.images.roots, []
    with closing(open_images(candidate.images)) as places:
        for root in roots:
            problem, remedy = places.trouble(root)
            if problem:
                return Outcome(False, f"{root} {problem}.", remedy)
        rows = list(islice(console.catalog.rows(), SAMPLE))
        for row in rows:
            try:
                load(row, places)
            except ImageError as error:
                failed.append(error)
    if rows and len(failed) == len(rows):
        raise failed[0]
    found = words.count(len(roots), "place")
    return Outcome(True, f"{found} can be read, and {len(rows) - len(failed)} of the first {len(rows)} pictures.")


def model(console: Console, candidate: Settings, entry: str) -> Outcome:
    """What its card says, and whether its weights are here. Nothing is loaded or downloaded."""
    (wanted,) = (one for one in candidate.models if one.key == entry)
    card = from_settings(wanted, candidate.workspace)
    if card.architecture in names() and not card.weights:
        raise ModelUnknown("No weights are named, so it would answer with noise.", "Name a tag or a checkpoint file.")
    said = f"It makes vectors of {card.dimension:,} numbers from pictures of {card.image_size} px."
    try:
        console.models.check(f"{card.architecture}/{card.weights}" if card.weights else card.architecture)
    except ModelNotLoadable as error:
        if card.is_local:
            raise
        return Outcome(True, said, remarks=(f"Its weights are not on this machine. {error.remedy}",))
    return Outcome(True, f"{said} Its weights are on this machine.")


def table(console: Console, candidate: Settings, entry: str) -> Outcome:
    """The vector columns that it has."""
    quick = replace(candidate.store, timeout=min(candidate.store.timeout, int(PATIENCE) // 2), retries=0)
    with closing(open_store(quick, dry=True)) as opened:
        found = [info for info in opened.collections() if info.name.startswith(f"{entry}.")]
    if not found:
        return Outcome(False, "It has no column of vectors.", "Correct the table, or add the column first.")
    rows = tuple(
        {"Collection": info.name, "Numbers": str(info.dimension), "Points": f"{info.points:,}"} for info in found
    )
    return Outcome(True, f"It can be read: {words.count(len(found), 'column')} of vectors.", rows=rows)


def api(console: Console, candidate: Settings, entry: str) -> Outcome:
    """Whether it would answer. Nothing is asked: it is this server."""
    if not candidate.api_token:
        return Outcome(True, "It is off: whoever asks is refused.")
    return Outcome(True, "It answers whoever sends the token, at POST /api/v1/search.")


TESTS: dict[str, Test] = {
    **{"store": store, "catalog": catalog, "images": images},
    **{"s3": images, "models": model, "tables": table, "api": api},
}
"""The test of each form."""


def _place(candidate: Settings) -> Path | None:
    """The folder or the file of a store on this machine."""
    kind, _, place = candidate.store.url.removeprefix("blob:").partition(":")
    match kind:
        case "local" | "edge":
            return Path(place)
        case "sqlite":
            return Path(place.removeprefix("///"))
    return None


def _of_store(opened: VectorStore) -> Outcome:
    found = opened.collections()
    info, points = opened.info(), sum(one.points for one in found)
    said = f"It answers: {words.count(len(found), 'collection')} with {words.count(points, 'point')}."
    remarks: Sequence[str] = [f"{info.kind} {info.version} at {info.location}".strip(), *info.limits]
    return Outcome(True, said, remarks=tuple(remarks))


def _row(row: ImageRow) -> dict[str, str]:
    carried = {name: "" if value is None else str(value) for name, value in row.payload.items()}
    return {"Key": told(row.key), "Paths": ", ".join(map(told, row.candidates)), **carried}


Answer = TypeVar("Answer")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What is asked may hang in a connection that nobody can break off: its thread is left alone then.

    Raises:
        TimeoutError
    """
    answers: SimpleQueue[Answer | Exception] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put(ask())
        except Exception as error:
            answers.put(error)

    Thread(target=answer, name="candidate", daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found
