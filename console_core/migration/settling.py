"""From what became of a batch to the counts of its run."""

from collections.abc import Mapping
from dataclasses import replace

from console_core.migration.batch import Filled
from console_core.runs.types import Counts


def settle(counts: Counts, filled: Filled) -> Counts:
    """The counts with a batch in them. Pictures that were added since the plan raise what is selected."""
    skipped, failed = dict(counts.skipped), dict(counts.failed)
    for reason in filled.passed.values():
        skipped = added(skipped, reason, 1)
    for failure in filled.failures:
        failed = added(failed, failure.kind, 1)
    settled = replace(counts, done=counts.done + len(filled.points), skipped=skipped, failed=failed)
    return replace(settled, selected=max(settled.selected, settled.settled))


def added(counted: Mapping[str, int], reason: str, number: int) -> dict[str, int]:
    """Numbers by reason with some more of one; none is not written down."""
    result = dict(counted)
    if number:
        result[reason] = result.get(reason, 0) + number
    return result
