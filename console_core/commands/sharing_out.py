"""What a person can ask of an alias' traffic before its cut-over: that a share of it goes to another collection."""

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.rollout.share import Share
from console_core.rollout.sharing_out import hundredths_of, share_out


def share(console: Console, actor: Actor, *, alias: str, percent: float, to: str = "") -> Share:
    """Let a verified collection answer so many percent of an alias' traffic; 0 ends that. With `to` "" the collection
    is meant that has a share already.

    Raises:
        as `share_out`; Refused also where the collection is behind the catalog and its share would grow.
    """
    hundredths_of(percent)  # a number that is none is told before anything else
    given = console.router.in_force(alias)
    candidate = to or (given.candidate if given is not None else "")
    if candidate and percent > (given.percent if given is not None else 0):
        console.keeping.keep_in_step()
        candidate = console.store.describe(candidate).name
        lag = console.keeping.lag(candidate)
        if lag is not None and lag.total:
            raise Refused(
                f"{candidate} is behind the catalog ({lag}), and those people would not find what others do.",
                f"Wait until it has been caught up, or catch {candidate} up now; then ask again.",
            )
    return share_out(console.router, alias, to, percent, actor=actor.name, age=console.verdict_age)
