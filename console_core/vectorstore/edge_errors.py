"""What went wrong in the edge engine or its folder, in our words."""

import errno

from console_core.errors import (
    DimensionMismatch,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)

_FULL = ("no space left on device", "disk is full", "disk quota exceeded")
_FORBIDDEN = ("permission denied", "read-only file system", "readonly database", "unable to open database")


def translated(error: Exception, place: str, name: str = "", *, opening: bool = False) -> StoreError:
    """The `StoreError` for any exception in the engine's process."""
    if isinstance(error, StoreError):
        return error
    said = (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".!")
    lower = said.lower()
    if any(word in lower for word in _FULL) or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    ):
        return StoreFull(
            f"{place} has no space left: {said}.",
            "Free disk space or add some, then resume; what was acknowledged is kept.",
        )
    if isinstance(error, PermissionError) or any(word in lower for word in _FORBIDDEN):
        return StoreUnavailable(
            f"{place} may not be written: {said}.", "Give this user write permission to the folder and its files."
        )
    if opening:
        return StoreUnavailable(
            f"{place} cannot be opened: {said}.", "Restore the folder from a backup, or choose another one."
        )
    if "dimension error" in lower:
        return DimensionMismatch(
            f'The collection "{name}" has vectors of another length: {said}.', "Use the model that made the collection."
        )
    if isinstance(error, TypeError | ValueError | KeyError):
        return StoreRefused(f"{place} refused: {said}.", "Use payloads and settings that are plain JSON data.")
    return StoreUnavailable(
        f"{place} failed: {said}.", "Look at the folder and its disk; if it goes on, restore the folder from a backup."
    )
