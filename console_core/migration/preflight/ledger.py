"""Whether this process may start a build: who owns the workspace, and whether the clocks agree."""

from collections.abc import Iterator
from datetime import timedelta

from console_core.database import now
from console_core.migration.findings import Finding, block, warn
from console_core.migration.preflight.parts import Parts
from console_core.runs.clock import ahead_of_server, newest_entry
from console_core.runs.holder import refusal
from console_core.runs.owner import LEASE, holder_of

TOLERATED = timedelta(seconds=5)
"""How far clocks may differ without anybody noticing."""
SERIOUS = timedelta(seconds=LEASE / 2)
"""From here on verdicts would look older or newer than they are, and leases would end too early or too late."""


def about_ledger(parts: Parts) -> Iterator[Finding]:
    """The owner of the workspace, and this machine's clock beside the times that the ledger has."""
    yield from _about_owner(parts)
    yield from _about_clock(parts)


def _about_owner(parts: Parts) -> Iterator[Finding]:
    holder = holder_of(parts.ledger_url, parts.ledger.database)
    if parts.owner is None:
        if holder is not None:
            told = refusal(holder)
            yield warn("owned-elsewhere", told.message, f"Start the migration there. {told.remedy}")
        return
    if parts.owner.held():
        return
    who = f"it is in use by {holder.name} (process {holder.pid} on {holder.host})" if holder else "nobody owns it now"
    yield block(
        "owner-lost",
        f"This process does not own the workspace any more, and may not write: {who}.",
        "Use that one, or stop it and start this console again.",
    )


def _about_clock(parts: Parts) -> Iterator[Finding]:
    database = parts.ledger.database
    newest = newest_entry(database)
    if newest is not None and newest - now() > TOLERATED:
        severe = block if newest - now() > SERIOUS else warn
        yield severe(
            "clock-back",
            f"This machine's clock says {now():%Y-%m-%d %H:%M:%S} UTC, and the ledger's newest entry is of "
            f"{newest:%Y-%m-%d %H:%M:%S}: the clock was set back, or another one was wrong.",
            "Set the clock of this machine (NTP), or wait until that time has passed.",
        )
    ahead = ahead_of_server(database)
    if abs(ahead) > TOLERATED:
        severe = block if abs(ahead) > SERIOUS else warn
        word = "ahead of" if ahead > timedelta() else "behind"
        yield severe(
            "clock-differs",
            f"This machine's clock is {abs(ahead).total_seconds():,.0f} s {word} that of the ledger's server at "
            f"{database.location}.",
            "Set both clocks (NTP): the owner's lease is told by them.",
        )
