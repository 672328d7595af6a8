import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select, update

from console_core.database import Database
from console_core.errors import Refused
from console_core.runs import tables as t
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Lane, Progress, Run

THREADS = 8


def _at_once(action: Callable[[int], object]) -> list[object]:
    gate = threading.Barrier(THREADS)

    def _go(number: int) -> object:
        gate.wait()
        return action(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(_go, range(THREADS)))


def test_eight_workers_claim_every_run_exactly_once(ledger: Ledger, submit: Callable[..., Run]) -> None:
    waiting = [submit(f"t{number}").id for number in range(40)]

    def _claim_all(number: int) -> list[str]:
        claimed = []
        while run := ledger.claim(Lane.ACCELERATOR, f"worker {number}"):
            claimed.append(run.id)
        return claimed

    claimed = Counter(run_id for each in _at_once(_claim_all) for run_id in each)  # type: ignore[attr-defined]
    assert claimed == Counter(waiting)
    assert all(len(ledger.attempts(run_id)) == 1 for run_id in waiting)


def test_of_eight_submissions_into_one_target_one_is_accepted(ledger: Ledger, submit: Callable[..., Run]) -> None:
    def _try(_number: int) -> str:
        try:
            return submit("images_v2").id
        except Refused as refused:
            return refused.message

    answers = _at_once(_try)
    (run,) = ledger.runs()
    assert answers.count(run.id) == 1
    assert all(run.id in str(answer) for answer in answers)


def test_no_update_is_lost_when_eight_threads_read_and_write_one_row(
    database: Database, submit: Callable[..., Run]
) -> None:
    run = submit()

    def _count(_number: int) -> None:
        for _ in range(25):
            with database.transaction() as connection:
                done = connection.execute(select(t.runs.c.done).where(t.runs.c.id == run.id)).scalar_one()
                connection.execute(update(t.runs).where(t.runs.c.id == run.id).values(done=done + 1))

    _at_once(_count)
    with database.reading() as connection:
        assert connection.execute(select(t.runs.c.done)).scalar_one() == 25 * THREADS


def test_eight_runs_record_at_once_without_mixing(ledger: Ledger, submit: Callable[..., Run]) -> None:
    runs = [submit(f"t{number}", selected=20) for number in range(THREADS)]
    for _ in runs:
        ledger.claim(Lane.ACCELERATOR, "console")

    def _record(number: int) -> None:
        for step in range(1, 21):
            failure = Failure(f"{number}-{step}", "missing", "No.")
            ledger.record(runs[number].id, Progress(str(step), Counts(20, 0, {}, {"missing": step}), (failure,)))

    _at_once(_record)
    for number, run in enumerate(runs):
        assert ledger.get(run.id).counts.failed == {"missing": 20}
        assert {failure.key.split("-")[0] for failure in ledger.failures(run.id)} == {str(number)}
        assert ledger.failure_counts(run.id) == {"missing": 20}
