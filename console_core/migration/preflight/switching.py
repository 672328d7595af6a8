"""Where the alias is the name of a table's column: what the cut-over changes with it, and what would forbid it."""

from collections.abc import Iterator

from console_core.migration.findings import Finding, block, info
from console_core.vectorstore.switching import AnnouncesSwitch
from console_core.vectorstore.types import VectorStore


def about_switching(store: VectorStore, served: str, target: str) -> Iterator[Finding]:
    """Nothing where the alias is an ordinary one.

    Raises:
        StoreError
    """
    switching = store.switching(served) if isinstance(store, AnnouncesSwitch) else None
    if switching is None:
        return
    table, searched = switching.table, switching.searched
    home = served.partition(".")[0]
    if not target.startswith(f"{home}."):
        yield block(
            "target-elsewhere",
            f'"{served}" is the name of a column of {table}, which only another column of that table can take.',
            f'Give the target a name that begins with "{home}.": it becomes a column beside the one that is searched.',
        )
    for what in switching.blocked:
        yield block(
            "switch-blocked",
            f'{what[:1].upper()}{what[1:]} would stay with the former column when another takes the name "{searched}".',
            "Drop it before the migration, or move what it does to where it names the column.",
        )
    index = f" Its index ({switching.index}) stays with it; the new one gets HNSW." if switching.index else ""
    follows = f" These are made again with it: {', '.join(switching.follows)}." if switching.follows else ""
    yield info(
        "switch",
        f'The vectors are put into a new column of {table}. At the cut-over it takes the name "{searched}" in one '
        f"transaction, and the former column stays beside it under its own.{index}{follows} Prepared statements that "
        "select the column itself must be prepared anew, so restart pools that keep some.",
    )
