"""Does it answer? One question to each thing that the workspace is connected to. Pure: nothing here draws."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from sqlalchemy import text

from console_core.catalog.loading import load
from console_core.catalog.local_files import folder_trouble
from console_core.catalog.names import told
from console_core.catalog.web_addresses import is_address
from console_core.console import Console
from console_core.embedding.device import place
from console_core.errors import CatalogInvalid, ImageError, ImageMissing, ImageUnavailable, LedgerOwned, Refused
from console_core.ui import words

Probe = Callable[[Console], str]
"""Says what was found, for people; raises a ConsoleError with a remedy where something is wrong."""

SAMPLE = 8
"""Pictures that are read to see whether the image roots are right."""


def store(console: Console) -> str:
    found = console.store.collections()
    points = sum(info.points for info in found)
    return f"It answers: {words.count(len(found), 'collection')} with {words.count(points, 'point')}."


def catalog(console: Console) -> str:
    count = console.catalog.count()
    row = next(iter(console.catalog.rows()), None)
    if row is None:
        raise CatalogInvalid("It can be read, and it lists no picture.", "Check its location, and its table or folder.")
    return f"It can be read: {words.count(count, 'picture')}, the first is {told(row.key)}."


def images(console: Console) -> str:
    """Ask the servers of pictures, then read and decode the first pictures of the catalog."""
    for root in (one for one in console.settings.images.roots if is_address(one)):
        problem, remedy = console.images.trouble(root)
        if problem:
            raise ImageUnavailable(f"The image root {root} {problem}.", remedy)
    tried, failed = 0, []
    for row in islice(console.catalog.rows(), SAMPLE):
        tried += 1
        try:
            load(row, console.images)
        except ImageError as error:
            failed.append(error)
    if failed and len(failed) == tried:
        raise failed[0]
    if not tried:
        raise ImageMissing("The catalog lists no picture to try.", "Check the catalog first.")
    return f"{tried - len(failed)} of the first {words.count(tried, 'picture')} can be read and decoded."


def ledger(console: Console) -> str:
    with console.database.reading() as connection:
        connection.execute(text("SELECT 1"))
    if console.owner is None or not console.owner.held():
        raise LedgerOwned("This process is not the ledger's owner.", "Use the console that is, or restart this one.")
    return "It can be read, and this process is its owner."


def api(console: Console) -> str:
    """Whether programs may search."""
    if not console.settings.api_token:
        raise Refused("It is off: whoever asks is refused.", "Turn it on, and name the variable that has the token.")
    return "It is on: whoever sends the token is answered."


def device(console: Console) -> str:
    """Where models run; imports torch, which takes seconds the first time."""
    return f"Models run on {place(console.settings.device, console.settings.precision).label}."


def root_state(root: Path) -> tuple[bool, str]:
    """Whether a folder can be read, and what it is, for people."""
    problem, _ = folder_trouble(root)
    return not problem, problem or "readable"
