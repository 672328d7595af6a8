"""The states of a backup as a person meets them."""

from collections.abc import Mapping

from console_core.backup.backups import BackupState
from console_core.ui.words import Word

STATES: Mapping[BackupState, Word] = {
    BackupState.PROVEN: Word(
        "Proven", "green", ":material/verified:", "A restore of it was compared with it, point by point: no difference."
    ),
    BackupState.UNPROVEN: Word(
        "Not proven", "orange", ":material/help:", "It is whole, but no restore of it was compared with it yet."
    ),
    BackupState.UNFINISHED: Word(
        "Unfinished", "gray", ":material/hourglass_empty:", "Its run stopped before the end. It cannot be restored."
    ),
    BackupState.DAMAGED: Word(
        "Damaged", "red", ":material/broken_image:", "It is not what was written. It cannot be restored."
    ),
}
