"""What a preflight looks at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from console_core.backup.backups import Backups
from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.embedding.loaded import Models
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner
from console_core.vectorstore.types import VectorStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a workspace. They are only read: the store may be a read-only one, the ledger a copy.

    `ledger_url` is the workspace's own. `owner` is None where this process only looks. `moved_to` tells the
    collection that the last recorded move of an alias led to, "" where none is recorded. `gap` measures for how many
    seconds, from and to, a name leads nowhere while a collection is recreated in place.
    """

    catalog: ImageCatalog
    images: ImageStore
    store: VectorStore
    models: Models
    ledger: Ledger
    ledger_url: str
    image_roots: Sequence[str | Path]
    owner: Owner | None
    moved_to: Callable[[str], str]
    backups: Backups
    gap: Callable[[], tuple[float, float]]
