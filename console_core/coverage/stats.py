"""Coverage in the words of the command line."""

from typing import Any

from console_core.coverage.report import CoverageReport, Status


def stats(report: CoverageReport) -> dict[str, Any]:
    """A report as one flat line.

    `with_embedding` counts rows with a current embedding of the collection's model; `without_embedding` the rest,
    of which `failed` and `stale` are shown. `coverage_percentage` is 0 to 100 with two decimals, 100 only where no
    row is without. `orphaned` is None where only a slice was measured. `column` has the same of the embedding column of
    the application's table beside the collection (`ColumnReport`), where there is one.
    """
    embedded = report.totals[Status.EMBEDDED]
    percentage = round(100 * report.coverage, 2)
    if embedded < report.total:
        percentage = min(percentage, 99.99)
    return {
        "total": report.total,
        "with_embedding": embedded,
        "without_embedding": report.total - embedded,
        "failed": report.totals[Status.FAILED],
        "coverage_percentage": percentage,
        "stale": report.totals[Status.STALE],
        "orphaned": report.orphaned,
        "model": report.model,
        "collection": report.collection,
        **({"column": report.column.stats()} if report.column else {}),
    }
