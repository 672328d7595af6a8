"""What is written behind takes no processor from queries, and answers come in order."""

import os
import sys
import threading

import pytest

from console_core.embedding.turns import NICENESS, in_background
from console_core.migration.behind import WriteBehind


@pytest.mark.parametrize("wait", [False, True])
def test_batches_are_written_in_the_background_and_answered_in_their_order(wait: bool) -> None:
    def write(batch: int) -> tuple[int, bool, int]:
        niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else NICENESS
        return batch, in_background(), niceness

    answers: list[tuple[int, tuple[int, bool, int]]] = []
    with WriteBehind(write, 2) as behind:
        for batch in range(5):
            answers += behind.add(batch, wait=wait)
            assert not wait or len(answers) == batch + 1
        answers += behind.rest()
    assert [batch for batch, _ in answers] == [0, 1, 2, 3, 4]
    for batch, (written, quietly, niceness) in answers:
        assert (written, quietly) == (batch, True)
        assert niceness >= NICENESS
    assert not in_background()
