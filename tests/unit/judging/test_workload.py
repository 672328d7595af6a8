"""How much there is to judge is said before a protocol is locked, and it is what judges get."""

from pathlib import Path

import pytest

from console_core.database import Database
from console_core.judging.judgements import Way
from console_core.judging.protocol import Protocol
from console_core.judging.workload import Workload, workload
from tests.unit.judging.judged import DEPTH, judged


@pytest.mark.parametrize("way", ["grades", "votes"])
@pytest.mark.parametrize("queries", [0, 12])
def test_what_is_said_before_is_what_each_judge_gets(
    database: Database, tmp_path: Path, way: Way, queries: int
) -> None:
    protocol = Protocol(k=DEPTH, queries=queries, seed=9)
    made = judged(database, tmp_path, columns=3, way=way, failing=True, protocol=protocol)
    desk = made.lab.desk(made.evaluation)
    rankings = made.lab.readings.of(made.lab.snapshots.get(made.evaluation.snapshot)).rankings
    found = workload(protocol, rankings, way)
    assert (found.questions, found.pieces) == (
        len(desk.sample.queue),
        desk.graded(()).of if way == "grades" else desk.voted(()).of,
    )
    assert found.pieces > found.questions > 10


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            Workload("grades", 55, 898),
            "898 pictures, of 55 questions: about 45 minutes, reckoned at 3 seconds a picture.",
        ),
        (Workload("grades", 1, 1), "1 picture, of 1 question: about 1 minute, reckoned at 3 seconds a picture."),
        (
            Workload("votes", 20, 60),
            "60 pairs of lists, of 20 questions: about 10 minutes, reckoned at 10 seconds a pair.",
        ),
        (
            Workload("grades", 999, 9000),
            "9,000 pictures, of 999 questions: about 8 hours, reckoned at 3 seconds a picture.",
        ),
        (Workload("grades", 0, 0), "nothing to judge"),
    ],
)
def test_it_says_how_its_time_is_reckoned(found: Workload, said: str) -> None:
    assert said in found.text
