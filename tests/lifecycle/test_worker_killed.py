"""A process that works on a run is killed with -9, again and again."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, RunState, Verb

PROGRAM = """
import sys, time
from pathlib import Path
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner
from console_core.runs.types import Counts, Lane, Progress
from console_core.runs.worker import Worker

database, store = Database(sys.argv[1]), Path(sys.argv[2])

class Files:
    def steps(self, checkpoint, counts):
        keys = [f"{n:04}" for n in range(300)]
        remaining = [key for key in keys if key > checkpoint]
        for start in range(0, len(remaining), 4):
            batch = remaining[start : start + 4]
            for key in batch:
                with (store / key).open("a") as file:
                    file.write("x")
            counts = Counts(counts.selected, counts.done + len(batch))
            yield Progress(batch[-1], counts)
            time.sleep(0.002)

with Owner.acquire(database, "console") as owner:
    worker = Worker(Ledger(database), lambda run: Files(), "console", lanes=[Lane.STORE], held=owner.held)
    worker.start()
    print("working", flush=True)
    time.sleep(600)
"""


def test_a_process_killed_with_minus_nine_at_random_moments_loses_nothing_and_its_counters_are_true(
    database: Database, ledger: Ledger, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    dice, kills = random.Random(7), 3
    run = ledger.submit(
        kind="reembed", lane=Lane.STORE, title="Files", target="v2", spec={}, actor="o", selected=300, writes=True
    )
    for life in range(kills + 1):
        if life:
            ledger.ask(run.id, Verb.RESUME, "olga")
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, database.url, str(store)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"working\n"
            done, end = ledger.get(run.id).counts.done, time.monotonic() + 60
            goal = 300 if life == kills else done + dice.randint(10, 60)
            while (now := ledger.get(run.id)).counts.done < goal or (life == kills and now.state is RunState.RUNNING):
                assert time.monotonic() < end
                time.sleep(0.003)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        if life < kills:
            (recovered,) = ledger.recover("console")
            assert recovered.state is RunState.INTERRUPTED
    ended = ledger.get(run.id)
    assert (ended.state, ended.counts.done, ended.attempt) == (RunState.SUCCEEDED, 300, kills + 1)
    written = [len(file.read_text()) for file in store.iterdir()]
    assert len(written) == 300
    assert sum(written) - 300 <= kills * 4, "at most one batch twice for each kill"
