"""What a version of the Qdrant server can do."""

import re

OLDEST = (1, 10)
"""The first with the query endpoint, without which nothing can be searched."""
METADATA_SINCE = (1, 16)
TELLS_VECTORS_SINCE = (1, 13)
"""The first that can tell which points have a certain one of several named vectors."""
ADDS_VECTORS_SINCE = (1, 18)
"""The first that adds a named vector to an existing collection, and drops one."""


def too_old(version: str) -> str:
    """Why the console cannot work with a server of this version; "" where it can, or the version is not known."""
    found = _numbers(version)
    if found is None or found >= OLDEST:
        return ""
    return f"Qdrant {version} is too old: the console needs {OLDEST[0]}.{OLDEST[1]} or newer to search it."


def keeps_metadata(version: str) -> bool:
    """Whether collections carry metadata; of a version that is not known it is assumed."""
    found = _numbers(version)
    return found is None or found >= METADATA_SINCE


def tells_vectors(version: str) -> bool:
    """Whether it can be asked which points have a certain named vector; of a version that is not known, assumed."""
    found = _numbers(version)
    return found is None or found >= TELLS_VECTORS_SINCE


def adds_vectors(version: str) -> bool:
    """Whether a named vector can be added to a collection; of a version that is not known it is assumed."""
    found = _numbers(version)
    return found is None or found >= ADDS_VECTORS_SINCE


def _numbers(version: str) -> tuple[int, int] | None:
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None
