"""The command that measures what a collection's index and quantization lose."""

from console_core.commands.actor import Actor
from console_core.commands.looking import look_once
from console_core.console import Console
from console_core.errors import Refused
from console_core.querylab.losses_report import KIND
from console_core.querylab.measuring_losses import LossesPlan
from console_core.runs.types import Lane, Run


def measure_losses(console: Console, actor: Actor, *, collection: str, query_set: str = "") -> Run:
    """Queue the run that asks the newest version of a query set, or captions where none is named.

    The same measurement that waits or is at work already is returned.
    """
    info = console.store.describe(collection)
    if not info.points:
        raise Refused(f"{info.name} is empty, so no search of it can lose anything.", "Fill it first.")
    version = console.lab.query_sets.get(query_set).version if query_set else 0
    spec = LossesPlan(info.name, query_set, version).as_json()
    return look_once(
        console,
        actor,
        KIND,
        info.name,
        title=f"Losses of {info.name}",
        lane=Lane.ACCELERATOR,
        selected=lambda: 0,
        spec=spec,
    )
