import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console_core.database import Database
from console_core.errors import LedgerOwned, LedgerUnavailable
from console_core.runs.holder import Holder
from console_core.runs.lease import Lease
from console_core.runs.owner import Owner, is_owned

OTHER = """
import sys, time
from console_core.database import Database
from console_core.runs.owner import Owner
owner = Owner.acquire(Database(sys.argv[1]), "console on port 8501")
if "--with-child" in sys.argv:
    import os
    child = os.fork()
    if child == 0:
        time.sleep(600)
    print(child, flush=True)
print("owned", flush=True)
time.sleep(600)
"""

LEASED = """
import sys, time
from console_core.database import Database
from console_core.runs.holder import Holder
from console_core.runs.lease import Lease
lease = Lease(Database(sys.argv[1]), Holder.this_process("first"), float(sys.argv[2]))
print("owned", flush=True)
while lease.held():
    time.sleep(0.02)
print("lost", flush=True)
"""


@contextmanager
def _another_process(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_process_is_refused_by_name_and_kill_minus_nine_sets_the_ledger_free(database: Database) -> None:
    with _another_process(OTHER, database.url) as other:
        assert _line(other) == "owned"
        with pytest.raises(LedgerOwned) as refused:
            Owner.acquire(database, "embedding-console migrate")
        assert "console on port 8501" in refused.value.message
        assert f"process {other.pid} on this machine" in refused.value.message
        assert f"stop process {other.pid}" in refused.value.remedy
        other.send_signal(signal.SIGKILL)
        other.wait()
        with Owner.acquire(database, "embedding-console migrate") as owner:
            assert owner.held()
            assert owner.holder.pid == os.getpid()


def test_a_forked_child_does_not_keep_the_ledger_of_its_dead_parent(database: Database) -> None:
    with _another_process(OTHER, database.url, "--with-child") as other:
        child = int(_line(other))
        try:
            assert _line(other) == "owned"
            with pytest.raises(LedgerOwned):
                Owner.acquire(database, "second")
            other.send_signal(signal.SIGKILL)
            other.wait()
            until = time.monotonic() + 10
            while is_owned(database) and time.monotonic() < until:  # the child lets go as soon as it has run at all
                time.sleep(0.02)
            os.kill(child, 0)
            Owner.acquire(database, "second").release()
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_released_ledger_can_be_owned_again_by_the_same_process(database: Database) -> None:
    owner = Owner.acquire(database, "first")
    with pytest.raises(LedgerOwned, match="first"):
        Owner.acquire(database, "second")
    owner.release()
    owner.release()
    assert not owner.held()
    with Owner.acquire(database, "second") as second:
        assert second.held()


def test_whether_a_ledger_is_owned_can_be_asked_without_taking_it(database: Database) -> None:
    assert not is_owned(database)
    with _another_process(OTHER, database.url) as other:
        assert _line(other) == "owned"
        assert is_owned(database)
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert not is_owned(database)
    with Owner.acquire(database, "first") as first:
        assert is_owned(database)
        assert first.held()
    assert not is_owned(database)


@pytest.mark.alone
def test_a_lease_can_be_asked_for_without_taking_it_and_ends_by_itself(database: Database) -> None:
    assert not Lease.is_held(database)
    with _another_process(LEASED, database.url, "0.6") as other:
        assert _line(other) == "owned"
        assert Lease.is_held(database)
        other.send_signal(signal.SIGKILL)
        other.wait()
        time.sleep(0.7)
        assert not Lease.is_held(database)


def test_an_owner_whose_lock_file_was_taken_away_no_longer_holds(database: Database, tmp_path: Path) -> None:
    with Owner.acquire(database, "first") as owner:
        (tmp_path / "ledger.db.lock").unlink()
        assert not owner.held()


def test_a_lock_file_that_cannot_be_made_is_a_ledger_that_cannot_be_used(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    (tmp_path / "ledger.db.lock").mkdir()
    with pytest.raises(LedgerUnavailable, match=r"ledger\.db\.lock"):
        Owner.acquire(database, "console")
    database.close()


def _lease(database: Database, name: str, seconds: float = 30.0) -> Lease:
    return Lease(database, Holder.this_process(name), seconds)


def test_a_lease_refuses_others_until_it_is_given_back(database: Database) -> None:
    first = _lease(database, "console on port 8501")
    with pytest.raises(LedgerOwned, match="console on port 8501") as refused:
        _lease(database, "second")
    assert "If it has died, the workspace is free at" in refused.value.remedy
    first.release()
    assert not first.held()
    second = _lease(database, "second")
    assert second.held()
    first.release()
    assert second.held(), "an old owner cannot give back what is no longer its own"
    second.release()


@pytest.mark.alone
def test_a_lease_is_renewed_while_its_owner_lives(database: Database) -> None:
    lease = _lease(database, "first", seconds=0.9)
    try:
        time.sleep(1.2)
        assert lease.held()
        with pytest.raises(LedgerOwned):
            _lease(database, "second", seconds=0.9)
    finally:
        lease.release()


@pytest.mark.alone
def test_a_lease_that_ran_out_is_taken_over_and_its_old_owner_notices(database: Database) -> None:
    with _another_process(LEASED, database.url, "1.0") as other:
        assert _line(other) == "owned"
        with pytest.raises(LedgerOwned):
            _lease(database, "second", seconds=5)
        other.send_signal(signal.SIGSTOP)
        time.sleep(1.3)
        second = _lease(database, "second", seconds=5)
        other.send_signal(signal.SIGCONT)
        assert _line(other) == "lost"
        assert second.held()
        second.release()
