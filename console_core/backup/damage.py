"""The kinds of damage to a backup, each with the name that people are told."""

from enum import StrEnum

from console_core.errors import BackupDamaged

_REMEDY = "Use another backup, and delete this one. Nothing was written to the store."
_REMEDIES = {
    "unfinished": "Resume the run that makes it, or delete it.",
    "manifest of another backup": "If the folder was renamed, give it back the name that its manifest says.",
    "unsupported format version": "Read it with the version of the console that made it.",
}


class Damage(StrEnum):
    UNFINISHED = "unfinished"
    MANIFEST_UNREADABLE = "unreadable manifest"
    VERSION = "unsupported format version"
    MANIFEST_EDITED = "edited manifest"
    MANIFEST_FOREIGN = "manifest of another backup"
    PART_MISSING = "missing part"
    PART_EXTRA = "extra part"
    PART_TRUNCATED = "truncated part"
    PART_CHANGED = "changed bytes"
    PART_FOREIGN = "part of another backup"
    PART_MISPLACED = "part in the wrong place"
    PART_UNREADABLE = "unreadable part"
    LIST_MISSING = "missing list"
    LIST_CHANGED = "changed list"
    COLUMNS = "wrong columns"
    DIMENSION = "wrong dimension"
    ROWS = "wrong number of rows"
    ORDER = "ids out of order"
    IDENTIFIER = "not a point id"
    PAYLOAD = "payload that is not JSON"
    VECTOR = "vector that is not finite"
    CONTENT = "content that does not match its digest"


def damaged(backup: str, damage: Damage, detail: str) -> BackupDamaged:
    """The error that names a damage. `detail` is a sentence."""
    remedy = _REMEDIES.get(damage, _REMEDY)
    return BackupDamaged(f"The backup {backup} is damaged ({damage}): {detail}", remedy, damage=damage)
