"""Whatever fails while a name changes hands, it leads somewhere again, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console_core.backup.backups import Backups
from console_core.database import Database
from console_core.errors import ConsoleError, OutcomeUnknown, StoreRefused, StoreUnavailable
from console_core.rollout.cutover import roll_back
from console_core.rollout.gap import close_gaps, lead_somewhere
from console_core.rollout.records import MoveKind, Moves
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState, Verb
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.signature import Signature, signature_of
from console_core.vectorstore.types import CollectionSpec
from tests.unit.rollout.replacing import FORMER, NEW, OLD, POINTS, Site
from tests.unit.vectorstore.loopback_qdrant import Fault, LoopbackQdrant

UNAVAILABLE = StoreUnavailable("The store is away.", "Start it.")
REFUSED = StoreRefused("The store said no.", "Ask it why.")


@pytest.fixture(params=["embedded", "loopback"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    with LoopbackQdrant().running() as server:
        url = server.url if request.param == "loopback" else f"local:{tmp_path / 'qdrant'}"
        store = open_store(StoreSettings(url, retries=0))
        found = Site(store, Ledger(database), Moves(database), Backups(tmp_path / "backups"))
        found.prepare()
        yield found
        store.close()
    database.close()


@pytest.fixture
def old(site: Site) -> Signature:
    return signature_of(site.store, OLD)


def fails(
    monkeypatch: pytest.MonkeyPatch, site: Site, name: str, error: BaseException, *, times: int = 1, done: bool = False
) -> None:
    """Let a call of the store fail so many times; with `done` it takes effect all the same."""
    call, left = getattr(site.store, name), [times]

    def failing(*arguments: Any, **named: Any) -> Any:
        if not left[0]:
            return call(*arguments, **named)
        left[0] -= 1
        if done:
            call(*arguments, **named)
        raise error

    monkeypatch.setattr(site.store, name, failing)


def completed(site: Site, run: Run, old: Signature) -> None:
    """Resumed, the run gives the name to the new collection, once, and the way back leads to what the old one held."""
    ended = site.work(run)
    assert ended.state is RunState.SUCCEEDED, ended.reason
    assert (ended.counts.pending, ended.counts.done) == (0, 3 * POINTS + 1)
    assert site.leads_to() == NEW
    assert site.store.describe(OLD).dimension == 12
    assert signature_of(site.store, FORMER).same_as(old)
    assert [(m.kind, m.before, m.after) for m in site.moves.of(OLD)] == [(MoveKind.CUT_OVER, FORMER, NEW)]
    roll_back(site.store, site.moves, OLD, actor="olga")
    assert signature_of(site.store, OLD).same_as(old)


def test_a_name_changes_hands_and_the_gap_is_measured(site: Site, old: Signature) -> None:
    run = site.recreation()
    assert site.store.describe(OLD).dimension == 8
    ended = site.work(run)
    assert ended.result is not None
    assert 0 < ended.result["gap"] < 60
    assert {point.id: point.payload for point in site.store.scroll(OLD)} == {
        point.id: point.payload for point in site.store.scroll(FORMER)
    }
    assert list(site.names()) == [FORMER, NEW]
    assert site.store.describe(OLD).dimension == 12
    assert signature_of(site.store, FORMER).same_as(old)


@pytest.mark.parametrize("error", [UNAVAILABLE, REFUSED])
def test_where_the_name_cannot_be_given_to_the_new_collection_it_leads_to_the_former_one_and_the_run_says_so(
    site: Site, old: Signature, monkeypatch: pytest.MonkeyPatch, error: ConsoleError
) -> None:
    fails(monkeypatch, site, "set_alias", error)
    run = site.recreation()
    failed = site.work(run)
    assert failed.state is RunState.FAILED
    assert failed.reason == f"{OLD} could not be pointed to {NEW}, and leads to {FORMER} now. {error.message}"
    assert "Resume this run" in failed.remedy
    assert site.leads_to() == FORMER
    assert signature_of(site.store, OLD).same_as(old)
    assert site.moves.of(OLD) == []
    completed(site, run, old)


@pytest.mark.parametrize("done", [False, True])
def test_a_drop_that_fails_changes_nothing_and_one_whose_answer_was_lost_leaves_the_name_with_the_former_collection(
    site: Site, old: Signature, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    fails(monkeypatch, site, "drop", UNAVAILABLE, done=done)
    run = site.recreation()
    assert site.work(run).state is RunState.FAILED
    assert site.leads_to() == (FORMER if done else OLD)
    assert signature_of(site.store, OLD).same_as(old)
    assert site.moves.of(OLD) == []
    completed(site, run, old)


def test_a_move_whose_answer_was_lost_was_made(site: Site, old: Signature, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, site, "set_alias", OutcomeUnknown("No answer.", "Look."), done=True)
    run = site.recreation()
    assert site.work(run).state is RunState.SUCCEEDED
    assert site.leads_to() == NEW
    assert signature_of(site.store, FORMER).same_as(old)


@pytest.mark.parametrize("verb", [Verb.RESUME, Verb.CANCEL, None])
def test_a_store_that_goes_away_in_the_gap_gives_the_name_back_when_it_answers_again(
    site: Site, old: Signature, monkeypatch: pytest.MonkeyPatch, verb: Verb | None
) -> None:
    with pytest.MonkeyPatch.context() as away:
        fails(away, site, "set_alias", UNAVAILABLE, times=2)
        run = site.recreation()
        failed = site.work(run)
    assert failed.state is RunState.FAILED
    assert f"{OLD} may lead nowhere now" in failed.reason
    assert f"{FORMER} holds what it held" in failed.remedy
    assert site.leads_to() == ""
    if verb is not None:
        site.ledger.ask(run.id, verb, "olga")
    assert close_gaps(site.store, site.ledger, site.moves, "the console") == []
    assert site.leads_to() == (FORMER if verb is Verb.CANCEL else NEW)
    if verb is Verb.CANCEL:
        assert signature_of(site.store, OLD).same_as(old)
    else:
        completed(site, run, old)


@pytest.mark.parametrize("asked", [None, Verb.CANCEL])
def test_a_process_that_dies_in_the_gap_leaves_it_to_the_next_owner(
    site: Site, old: Signature, monkeypatch: pytest.MonkeyPatch, asked: Verb | None
) -> None:
    run = site.recreation()
    with pytest.MonkeyPatch.context() as patch:
        _dies(patch, site, "set_alias")
        with pytest.raises(Dead):
            site.work(run)
    if asked:
        site.ledger.ask(run.id, asked, "olga")
    (recovered,) = site.ledger.recover("the next owner")
    assert site.leads_to() == ""
    resumed = close_gaps(site.store, site.ledger, site.moves, "the console")
    if asked:
        assert recovered.state is RunState.CANCELLED
        assert resumed == []
        assert site.leads_to() == FORMER
        assert signature_of(site.store, OLD).same_as(old)
    else:
        assert [(one.id, one.state) for one in resumed] == [(run.id, RunState.QUEUED)]
        assert site.leads_to() == NEW
        completed(site, run, old)
    assert close_gaps(site.store, site.ledger, site.moves, "the console") == []


class Dead(BaseException):
    """Nothing that comes after it takes place."""


def _dies(patch: pytest.MonkeyPatch, site: Site, name: str) -> None:
    """As if the process was killed when it made a call of the store."""

    def dead(*arguments: Any, **named: Any) -> Any:
        raise Dead

    def deadly(*arguments: Any, **named: Any) -> Any:
        for part, call in ((site.store, "aliases"), (site.ledger, "finish"), (site.moves._database, "transaction")):
            patch.setattr(part, call, dead)
        raise Dead

    patch.setattr(site.store, name, deadly)


def test_names_that_lead_somewhere_and_runs_that_had_not_begun_are_left_alone(site: Site, old: Signature) -> None:
    run = site.recreation()
    steps = site.operation(run).steps("", run.counts)
    claimed = site.ledger.claim(run.lane, "a test", only=run.id)
    assert claimed is not None
    for progress in steps:
        site.ledger.record(run.id, progress)
        if site.stage(run) == "switch":
            break
    site.ledger.recover("the next owner")
    site.ledger.ask(run.id, Verb.CANCEL, "olga")
    assert close_gaps(site.store, site.ledger, site.moves, "the console") == []
    assert site.leads_to() == OLD
    site.store.drop(OLD)  # as somebody else may do, who has nothing to do with it
    assert close_gaps(site.store, site.ledger, site.moves, "the console") == []
    assert site.leads_to() == ""
    assert lead_somewhere(site.store, OLD, "nothing", FORMER) == FORMER


def test_somebody_elses_move_of_the_name_is_not_undone(site: Site, old: Signature, monkeypatch: Any) -> None:
    fails(monkeypatch, site, "set_alias", UNAVAILABLE)
    run = site.recreation()
    site.work(run)
    site.store.create("elsewhere", CollectionSpec(4))
    site.store.set_alias(OLD, "elsewhere", expected=FORMER)
    failed = site.work(run)
    assert failed.state is RunState.FAILED
    assert "leads to elsewhere now" in failed.reason
    assert site.leads_to() == "elsewhere"


def test_a_real_server_that_fails_between_the_two_calls_leaves_the_name_with_the_former_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    with LoopbackQdrant().running() as server:
        store = open_store(StoreSettings(server.url, retries=0))
        site = Site(store, Ledger(database), Moves(database), Backups(tmp_path / "backups"))
        site.prepare()
        old, drop = signature_of(store, OLD), store.drop

        def dropped(name: str) -> None:
            drop(name)
            server.faults.append(Fault(503, only="POST"))  # the next one sets the alias

        monkeypatch.setattr(store, "drop", dropped)
        run = site.recreation()
        failed = site.work(run)
        assert failed.state is RunState.FAILED
        assert site.leads_to() == FORMER
        completed(site, run, old)
        store.close()
    database.close()
