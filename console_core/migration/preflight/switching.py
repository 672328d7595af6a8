"""Where the alias is the name of a table's column: what the cut-over changes with it, and what would forbid it."""

import re
from collections.abc import Iterator
from contextlib import suppress

from console_core.catalog.types import ImageCatalog
from console_core.errors import CatalogError
from console_core.migration.findings import Finding, block, info, warn
from console_core.vectorstore.switching import AnnouncesSwitch, Switching
from console_core.vectorstore.types import VectorStore


def about_switching(store: VectorStore, catalog: ImageCatalog, served: str, target: str) -> Iterator[Finding]:
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
    for foreign in switching.foreign:
        yield block("switch-foreign", foreign.message(searched), foreign.remedy)
    for function in switching.left:
        yield warn(
            "switch-left",
            f'The function {function} speaks of "{searched}" and of other vectors of the same length, or of a table of '
            "which there are several. Nobody can tell which lengths must change, so the cut-over leaves it as it is.",
            "Change it by hand right after the cut-over. Or, if all of its lengths are those of this column, name it "
            f"and every other one that shall follow in functions of [store.tables.{home}].",
        )
    for function, language in switching.numbers:
        yield warn(
            "switch-left",
            f'The function {function} ({language}) speaks of "{searched}" and has the number {switching.length}, the '
            "length of its vectors, where the cut-over changes none: only vector(N) of SQL and PL/pgSQL is. Where "
            "it is compared with a query's length, the function would refuse the new model's queries.",
            "Look at the function. If the number is a vector's length, change it by hand right after the cut-over, and "
            f"back after a rollback; or have it ask {table} for the length (vector_dims), which is right at any time.",
        )
    with suppress(CatalogError):  # what is wrong with it is told elsewhere
        yield from _about_triggers(switching, catalog)
    index = f" Its index ({switching.index}) stays with it; the new one gets HNSW." if switching.index else ""
    follows = f" These are made again with it: {', '.join(switching.follows)}." if switching.follows else ""
    yield info(
        "switch",
        f'The vectors are put into a new column of {table}. At the cut-over it takes the name "{searched}" in one '
        f"transaction, and the former column stays beside it under its own.{index}{follows} Prepared statements that "
        "select the column itself must be prepared anew, so restart pools that keep some.",
    )


def _about_triggers(switching: Switching, catalog: ImageCatalog) -> Iterator[Finding]:
    """Triggers that change the column by which the catalog tells edits, where it reads the same table."""
    if not switching.triggers:
        return
    told = catalog.info()
    changed, table = told.updated_at, told.details.get("table", "")
    if not changed or told.kind != "sql" or table not in (switching.table, switching.table.rpartition(".")[2]):
        return
    for name, text in switching.triggers:
        if re.search(rf"(?<![\w$]){re.escape(changed)}(?![\w$])", text, re.IGNORECASE):
            yield warn(
                "switch-trigger",
                f'The trigger {name} of {table} may set "{changed}" at every UPDATE, also when a vector is written to '
                "the new column. The catalog tells edits by that, so every picture would count as edited as soon as it "
                "is embedded, again and again.",
                f"Let it fire for the application's own columns only (BEFORE UPDATE OF … ON {table}), or only where "
                "one of them changes, or name no updated_at in [catalog].",
            )
