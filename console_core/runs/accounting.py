"""Whether the books of a run are right: selected = done + skipped + failed + pending, and nothing ever taken back."""

from console_core.runs.types import Counts


def check(counts: Counts, *, before: Counts | None = None, finished: bool = False) -> str:
    """What is wrong with the counts, as a sentence; "" where nothing is.

    `before` are the counts recorded last: selected, done and settled may only grow. (A picture that failed may be
    done later, so the failed ones alone may shrink.) A `finished` run may have nothing pending.
    """
    for name, number in _numbers(counts):
        if number < 0:
            return f"The number of {name} pictures is negative: {number}."
    if counts.pending < 0:
        return (
            f"{counts.settled:,} pictures are accounted for, but only {counts.selected:,} were selected "
            f"({counts.done:,} done, {counts.all_skipped:,} skipped, {counts.all_failed:,} failed)."
        )
    if before is not None:
        for name in ("selected", "done", "settled"):
            was, now = getattr(before, name), getattr(counts, name)
            if now < was:
                return f"The number of {name} pictures went down from {was:,} to {now:,}."
    if finished and counts.pending:
        return (
            f"The work ended, but {counts.pending:,} of {counts.selected:,} pictures are neither done, "
            "skipped nor failed."
        )
    return ""


def _numbers(counts: Counts) -> list[tuple[str, int]]:
    return [
        ("selected", counts.selected),
        ("done", counts.done),
        *((f"skipped ({reason})", number) for reason, number in counts.skipped.items()),
        *((f"failed ({reason})", number) for reason, number in counts.failed.items()),
    ]
