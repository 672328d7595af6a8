"""How fast runs are: changed beside the server, so that a build lasts for as long as somebody has to do in it."""

from contextlib import closing
from pathlib import Path

from console_core import settings
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.manners import Manners
from console_core.runs.manners_records import DEFAULTS


def at_most(workspace: Path, rate: float) -> None:
    """So many pictures a second, from now on and for every run; 0: no limit."""
    with closing(Database(settings.read(workspace, {}).ledger_url)) as database:
        Ledger(database).manners.put(DEFAULTS, Manners(rate=rate))


def at_full_speed(workspace: Path) -> None:
    at_most(workspace, 0)
