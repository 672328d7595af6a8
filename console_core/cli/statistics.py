"""Coverage by model, for the command line: measured now, of every collection."""

from collections.abc import Mapping
from typing import Any

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.cli.foreground import actor_of, in_foreground
from console_core.commands import command
from console_core.console import Console
from console_core.coverage.column import ColumnReport
from console_core.coverage.measure import measure
from console_core.coverage.report import ROW_STATUSES, CoverageReport
from console_core.coverage.stats import stats
from console_core.database import now
from console_core.errors import CatalogError, ConsoleError
from console_core.vectorstore.types import CollectionInfo

NO_COLLECTION = "no collection"
"""Under what the table's own vectors are told where there is no collection."""

_Measured = tuple[CollectionInfo, CoverageReport]


def stats_by_model(console: Console) -> tuple[dict[str, dict[str, Any]], dict[str, ConsoleError]]:
    """The stats of each model: of its collection behind an alias, else of the one with the best coverage; and why
    which collections could not be measured.

    `other_collections` names the model's other ones. An owner's measurements are runs and are kept; a process that
    only looks measures the same, and leaves no trace.
    """
    made: dict[str, list[_Measured]] = {}
    unmeasured: dict[str, ConsoleError] = {}
    for info in console.store.collections():
        try:
            report = _kept(console, info) if console.owner else _looked_at(console, info)
        except CatalogError as error:
            unmeasured[info.name] = error
            continue
        if report is not None:
            key = info.stamp.model if info.stamp else f"unknown ({info.name})"
            made.setdefault(key, []).append((info, report))
    if not made and not unmeasured and console.embedding_column is not None:
        return {NO_COLLECTION: _column_alone(console.embedding_column)}, {}
    return {model: _of_model(measured) for model, measured in made.items()}, unmeasured


def _column_alone(column: EmbeddingColumn) -> dict[str, Any]:
    """What a table has while there is no collection yet to compare it with, with the keys that models have."""
    counts = column.counts("", 0)
    alone = ColumnReport(counts.total, counts.with_bytes, 0, counts.by_model)
    none = CoverageReport("", "", "", now(), dict.fromkeys(ROW_STATUSES, 0), {}, {}, None, column=alone)
    return {**stats(none), "total": counts.total, "without_embedding": counts.total, "other_collections": []}


def _of_model(measured: list[_Measured]) -> dict[str, Any]:
    best, *others = sorted(measured, key=lambda pair: (not pair[0].aliases, -pair[1].coverage))
    return {**stats(best[1]), "other_collections": [info.name for info, _ in others]}


def _kept(console: Console, info: CollectionInfo) -> CoverageReport | None:
    run = command(console, actor_of(console), "measure_coverage", collection=info.name)
    in_foreground(console, run, f"Measuring {info.name}")
    snapshot = console.coverage.latest(info.name)
    return snapshot.report if snapshot is not None else None


def _looked_at(console: Console, info: CollectionInfo) -> CoverageReport | None:
    catalog = console.catalog_of(info.name)
    column = console.embedding_column if catalog is console.catalog else None
    steps = measure(catalog, console.store, info.name, console.ledger.failed_among, column=column)
    return next((step.report for step in steps if step.report is not None), None)


def column_lines(collection: str, column: Mapping[str, Any]) -> list[str]:
    """The embedding column beside a collection, in a few lines for people."""
    models = ", ".join(f"{number:,} by {model or 'nobody knows'}" for model, number in column["by_model"].items())
    reasons = ", ".join(f"{number:,} {reason}" for reason, number in column["differing_by"].items())
    share = f"{column['with_embedding']:,} of {column['total']:,} ({column['coverage_percentage']}%)"
    return [
        f"column beside {collection or NO_COLLECTION}: {share}; vectors: {models or 'none'}; "
        f"{column['wrong_length']:,} of a wrong length",
        f"  the same in both: {column['same']:,}, only in the column: {column['only_in_column']:,}, "
        f"only in the store: {column['only_in_store']:,}, differing: {column['differing']:,}"
        + (f" ({reasons})" if reasons else ""),
    ]
