"""What it takes to recreate a collection in place: a gap in which its name leads nowhere, and a backup before it."""

from collections.abc import Iterator

from console_core.backup.since import known_writes
from console_core.migration.findings import Finding, info, warn
from console_core.migration.preflight.parts import Parts
from console_core.runs.wording import short_interval
from console_core.vectorstore.types import CollectionInfo


def about_in_place(parts: Parts, source: CollectionInfo) -> Iterator[Finding]:
    """How long the gap will be, as the store answers now, and whether the backup that it needs is there."""
    yield warn(
        "in-place-gap",
        f"For {short_interval(*parts.gap())}, {source.name} will lead nowhere while its name passes to the new "
        "collection: searches in that moment fail.",
        "Let the application ask again after an error. With an alias there would be no gap.",
    )
    needed = f"Before the switch, {source.name} needs a backup that a restore has proven, younger than its last write"
    backup = parts.backups.newest_proven(source.name)
    written = known_writes(backup.manifest, source, parts.ledger) if backup and backup.manifest else ""
    if backup is None:
        yield warn("in-place-backup", f"{needed}. There is none yet.", "The build can start; back it up meanwhile.")
    elif written:
        yield warn("in-place-backup", f"{needed}. {written} The backup {backup.id} is older.", "Back it up once more.")
    else:
        yield info("in-place-backup", f"{needed}: {backup.id} is one, if nothing is written from now on.")
